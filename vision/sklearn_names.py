"""scikit-learn's public estimators by name, so that a name resolves without importing them all.

XGBoost's, which keep to the same contract, are among them; they resolve where it is installed.

Held to scikit-learn's own list by a test; a name that an installed version lacks fails on use.
"""

_BY_MODULE = {
    "sklearn.calibration": """
        CalibratedClassifierCV
    """,
    "sklearn.cluster": """
        AffinityPropagation AgglomerativeClustering Birch BisectingKMeans DBSCAN
        FeatureAgglomeration HDBSCAN KMeans MeanShift MiniBatchKMeans OPTICS
        SpectralBiclustering SpectralClustering SpectralCoclustering
    """,
    "sklearn.compose": """
        ColumnTransformer TransformedTargetRegressor
    """,
    "sklearn.covariance": """
        EllipticEnvelope EmpiricalCovariance GraphicalLasso GraphicalLassoCV LedoitWolf
        MinCovDet OAS ShrunkCovariance
    """,
    "sklearn.cross_decomposition": """
        CCA PLSCanonical PLSRegression PLSSVD
    """,
    "sklearn.decomposition": """
        DictionaryLearning FactorAnalysis FastICA IncrementalPCA KernelPCA
        LatentDirichletAllocation MiniBatchDictionaryLearning MiniBatchNMF
        MiniBatchSparsePCA NMF PCA SparseCoder SparsePCA TruncatedSVD
    """,
    "sklearn.discriminant_analysis": """
        LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis
    """,
    "sklearn.dummy": """
        DummyClassifier DummyRegressor
    """,
    "sklearn.ensemble": """
        AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor
        ExtraTreesClassifier ExtraTreesRegressor GradientBoostingClassifier
        GradientBoostingRegressor HistGradientBoostingClassifier
        HistGradientBoostingRegressor IsolationForest RandomForestClassifier
        RandomForestRegressor RandomTreesEmbedding StackingClassifier StackingRegressor
        VotingClassifier VotingRegressor
    """,
    "sklearn.feature_extraction": """
        DictVectorizer FeatureHasher
    """,
    "sklearn.feature_extraction.image": """
        PatchExtractor
    """,
    "sklearn.feature_extraction.text": """
        CountVectorizer HashingVectorizer TfidfTransformer TfidfVectorizer
    """,
    "sklearn.feature_selection": """
        GenericUnivariateSelect RFE RFECV SelectFdr SelectFpr SelectFromModel SelectFwe
        SelectKBest SelectPercentile SequentialFeatureSelector VarianceThreshold
    """,
    "sklearn.frozen": """
        FrozenEstimator
    """,
    "sklearn.gaussian_process": """
        GaussianProcessClassifier GaussianProcessRegressor
    """,
    "sklearn.impute": """
        KNNImputer MissingIndicator SimpleImputer
    """,
    "sklearn.isotonic": """
        IsotonicRegression
    """,
    "sklearn.kernel_approximation": """
        AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler
    """,
    "sklearn.kernel_ridge": """
        KernelRidge
    """,
    "sklearn.linear_model": """
        ARDRegression BayesianRidge ElasticNet ElasticNetCV GammaRegressor HuberRegressor
        Lars LarsCV Lasso LassoCV LassoLars LassoLarsCV LassoLarsIC LinearRegression
        LogisticRegression LogisticRegressionCV MultiTaskElasticNet MultiTaskElasticNetCV
        MultiTaskLasso MultiTaskLassoCV OrthogonalMatchingPursuit
        OrthogonalMatchingPursuitCV PassiveAggressiveClassifier PassiveAggressiveRegressor
        Perceptron PoissonRegressor QuantileRegressor RANSACRegressor Ridge RidgeCV
        RidgeClassifier RidgeClassifierCV SGDClassifier SGDOneClassSVM SGDRegressor
        TheilSenRegressor TweedieRegressor
    """,
    "sklearn.manifold": """
        ClassicalMDS Isomap LocallyLinearEmbedding MDS SpectralEmbedding TSNE
    """,
    "sklearn.mixture": """
        BayesianGaussianMixture GaussianMixture
    """,
    "sklearn.model_selection": """
        FixedThresholdClassifier GridSearchCV RandomizedSearchCV
        TunedThresholdClassifierCV
    """,
    "sklearn.multiclass": """
        OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier
    """,
    "sklearn.multioutput": """
        ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain
    """,
    "sklearn.naive_bayes": """
        BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB
    """,
    "sklearn.neighbors": """
        KNeighborsClassifier KNeighborsRegressor KNeighborsTransformer KernelDensity
        LocalOutlierFactor NearestCentroid NearestNeighbors NeighborhoodComponentsAnalysis
        RadiusNeighborsClassifier RadiusNeighborsRegressor RadiusNeighborsTransformer
    """,
    "sklearn.neural_network": """
        BernoulliRBM MLPClassifier MLPRegressor
    """,
    "sklearn.pipeline": """
        FeatureUnion Pipeline
    """,
    "sklearn.preprocessing": """
        Binarizer FunctionTransformer KBinsDiscretizer KernelCenterer LabelBinarizer
        LabelEncoder MaxAbsScaler MinMaxScaler MultiLabelBinarizer Normalizer
        OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer
        QuantileTransformer RobustScaler SplineTransformer StandardScaler TargetEncoder
    """,
    "sklearn.random_projection": """
        GaussianRandomProjection SparseRandomProjection
    """,
    "sklearn.semi_supervised": """
        LabelPropagation LabelSpreading SelfTrainingClassifier
    """,
    "sklearn.svm": """
        LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR
    """,
    "sklearn.tree": """
        DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier
        ExtraTreeRegressor
    """,
    "xgboost": """
        XGBClassifier XGBRFClassifier XGBRFRegressor XGBRegressor
    """,
}

SKLEARN = {name: module for module, found in _BY_MODULE.items() for name in found.split()}
