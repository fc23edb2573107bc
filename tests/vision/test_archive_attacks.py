"""Archives that mean harm: each is refused, cheaply, before anything in it is run or unpacked."""

import io
import json
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest

from classical import Otsu
from tests.vision import archives
from tests.vision.archives import (
    Average,
    Network,
    Planted,
    average,
    classifier,
    members,
    npy,
    rewritten,
    saved,
    skops_files,
    stored_zip,
)
from vision import LoadError, ParameterError, UnknownNameError, catalogue, load, save


@pytest.fixture
def tmp_path(tmp_path_factory):
    """A folder whose name matches no message: pytest's own has the words of the test."""
    return tmp_path_factory.mktemp("a")


@pytest.fixture
def own_steps(monkeypatch):
    for name in ("Average", "Network"):
        monkeypatch.setitem(catalogue.STEPS, name, archives.__name__)


@pytest.fixture
def model(tmp_path):
    return saved(classifier(), tmp_path)


def test_the_planted_pickle_would_work_where_it_were_loaded(tmp_path):
    data = npy(np.array([Planted(tmp_path / "mark")]), allow_pickle=True)
    np.load(io.BytesIO(data), allow_pickle=True)
    assert (tmp_path / "mark").exists()


def test_pickles_are_never_opened(own_steps, model, tmp_path):
    mark = tmp_path / "mark"
    data = npy(np.array([Planted(mark)]), allow_pickle=True)
    name = "steps/002-svc.skops"
    files = skops_files(members(model)[name])
    array = next(file for file in files if file.endswith(".npy"))
    for changed in (files | {array: data}, files | {"model.pkl": data}, files | {"1.npy": data}):
        with pytest.raises(LoadError, match="refused"):
            load(rewritten(model, {name: stored_zip(changed)}))
    own = saved(average(), tmp_path, "own.vision")
    npz = "steps/001-average.npz"
    with pytest.raises(LoadError, match="Python objects"):
        load(rewritten(own, {npz: stored_zip({"mean_.npy": data})}))
    mask = saved(Otsu() & np.eye(3, dtype=np.uint8) * 255, tmp_path, "mask.vision")
    with pytest.raises(LoadError, match="Python objects"):
        load(
            rewritten(
                mask,
                {"pipeline.yaml": b"And: {a: Otsu, b: {file: x.npy}}", "arrays/x.npy": data},
            )
        )
    assert not mark.exists()


def node(loader, path, **content):
    module, _, name = path.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1} | content


def listed(number, *content):
    return node("ListNode", "builtins.list", content=list(content)) | {"__id__": number}


def said(value, number=2):
    found = node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)
    return found | {"__id__": number}


def arguments(*values):
    return node(
        "TupleNode", "builtins.tuple", content=[said(v, 9 + n) for n, v in enumerate(values)]
    )


def laughing(levels=40):
    """Lists of which each holds the one before it twice, by its number alone."""
    found = listed(100, said(0))
    for number in range(101, 101 + levels):
        found = listed(number, found, listed(number - 1))
    return found


ATTACKS = {
    "os.system": lambda mark: node("FunctionNode", "posix.system"),
    "eval": lambda mark: node("TypeNode", "builtins.eval"),
    "a lambda": lambda mark: node("FunctionNode", "__main__.<lambda>"),
    "operator": lambda mark: node(
        "OperatorFuncNode", "operator.methodcaller", attrs=arguments("mkdir", str(mark))
    ),
    "partial": lambda mark: node(
        "PartialNode",
        "functools.partial",
        content={"func": node("FunctionNode", "os.mkdir"), "args": arguments(str(mark))},
    ),
    "a constructor": lambda mark: node(
        "ConstructorFromReduceNode", "subprocess.Popen", content=arguments(f"mkdir {mark}")
    ),
    "an object": lambda mark: node("ObjectNode", "subprocess.Popen", content=arguments()),
    "a method": lambda mark: node(
        "MethodNode", "builtins.dict", content={"func": "clear", "obj": arguments()}
    ),
    "a mapping type": lambda mark: node("DictNode", "os.mkdir", content={}, key_types=arguments()),
    "a list type": lambda mark: node("ListNode", "os.mkdir", content=[said(str(mark))]),
    "an array type": lambda mark: node("NdArrayNode", "os.mkdir", type="json", content=[]),
    "a generator": lambda mark: (
        node(
            "RandomGeneratorNode",
            "numpy.random._generator.Generator",
            content={
                "bit_generator": node(
                    "DictNode", "builtins.dict", content={"bit_generator": said("seed")}
                )
                | {"__id__": 30},
                "seed_seq": arguments() | {"__id__": 31},
            },
        )
        | {"__id__": 32}
    ),
    "an estimator of another module": lambda mark: node("ObjectNode", "os.SVC", content=None),
    "a key type": lambda mark: node(
        "DictNode",
        "builtins.dict",
        content={str(mark): said(1)},
        key_types=listed(5, node("TypeNode", "posix.mkdir")),
    ),
    "a loader that is no name": lambda mark: node("ObjectNode", "a.b") | {"__loader__": ["x"]},
    "no type": lambda mark: {"__loader__": "ListNode", "content": []},
    "a number that is none": lambda mark: listed([1]),
    "a memory": lambda mark: node(
        "ObjectNode",
        "sklearn.cluster._agglomerative.FeatureAgglomeration",
        content=node(
            "DictNode",
            "builtins.dict",
            content={"memory": said(str(mark))},
            key_types=listed(5, node("TypeNode", "builtins.str") | {"__id__": 6}),
        )
        | {"__id__": 7},
    ),
    "laughs": lambda mark: laughing(),
    "itself": lambda mark: listed(3, listed(3)),
    "depth": lambda mark: json.loads("[" * 400 + "]" * 400),
}


REASONS = {
    "a generator": "not NumPy's default",
    "a memory": "'memory'",
    "laughs": "share a number",
    "itself": "share a number",
    "depth": "nested",
    "a number that is none": "no number",
}


def with_schema(path, schema):
    """The archive whose fitted classifier has another schema."""
    name = "steps/002-svc.skops"
    files = skops_files(members(path)[name])
    if not isinstance(schema, bytes):
        schema = json.dumps(schema(json.loads(files["schema.json"]))).encode()
    return rewritten(path, {name: stored_zip(files | {"schema.json": schema})})


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_schema_that_names_anything_else_is_refused(kind, model, tmp_path):
    mark = tmp_path / "mark"
    planted, whole = ATTACKS[kind](mark), model.read_bytes()
    reason = REASONS.get(kind, "not trusted")

    def within(schema):
        """As one more attribute of the classifier."""
        schema["content"]["content"]["extra_"] = planted
        schema["content"]["key_types"]["content"].append(said("x"))
        return schema

    def instead(schema):
        return {"content": planted, "protocol": 2}

    for change in (within, instead):
        model.write_bytes(whole)
        with pytest.raises(LoadError, match=reason):
            load(with_schema(model, change))
    for protocol in (0, 1, -1, 99, "2", None, True):
        model.write_bytes(whole)
        with pytest.raises(LoadError, match="refused"):
            load(with_schema(model, lambda schema, p=protocol: within(schema) | {"protocol": p}))
    assert not mark.exists()


def test_an_older_protocol_is_refused(model):
    """Its nodes may say what they are in other places."""
    with pytest.raises(LoadError, match="protocol is 1"):
        load(with_schema(model, lambda schema: schema | {"protocol": 1}))


@pytest.mark.parametrize(
    "schema",
    [b"[" * 100_000, b"{", b"[]", b"3", b'{"protocol": true}', b'{"protocol": 99}', b"\xff", b""],
)
def test_a_schema_that_is_none_is_refused(schema, model):
    with pytest.raises(LoadError, match="refused"):
        load(with_schema(model, schema))


@pytest.mark.parametrize(
    "text",
    [
        b"!!python/object/apply:os.mkdir [mark]",
        b"- FeatureAgglomeration: {memory: mark}\n- SVC",
        b"- StandardScaler\n- SVC: {C: 2}",
        b"- StandardScaler\n- LinearSVC",
        b"- StandardScaler\n- NuSVC",
        b"- Gray",
        b"- os.system",
        b"And: {a: Otsu, b: {file: ../model.npy}}",
        b"And: {a: Otsu, b: {file: /etc/hostname.npy}}",
        b"",
    ],
)
def test_another_text_is_refused(text, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((LoadError, UnknownNameError)):
        load(rewritten(model, {"pipeline.yaml": text}))
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.py", "/tmp/evil.py", "steps/../../evil", "a\\b", "C:evil", ".hidden", "steps/"),
        *("evil.py", "steps/009-svc.skops", "steps/002-svc.npz", "arrays/extra.npy", "a b"),
        *("steps/002-svc/files/x.keras", "steps/002-svc.pkl", "pipeline.yml", "steps/x\u202e.npz"),
    ],
)
def test_members_that_do_not_belong_are_refused(name, model, tmp_path):
    with pytest.raises(LoadError):
        load(rewritten(model, {name: b"x"}))
    assert list(tmp_path.iterdir()) == [model]


def test_members_that_lack_are_refused_or_not_fitted(model):
    whole = members(model)
    for name in ("pipeline.yaml", "versions.json"):
        with pytest.raises(LoadError, match=name):
            load(rewritten(model, whole | {name: None}))
    for versions in (b"[]", b"{", b'{"format": 2}', b"[" * 99_999):
        with pytest.raises(LoadError, match=r"versions\.json"):
            load(rewritten(model, whole | {"versions.json": versions}))
    loaded = load(rewritten(model, whole | {"steps/002-svc.skops": None}))
    assert not hasattr(loaded.named_steps["svc"], "support_")


def test_every_cut_and_most_flipped_bytes_are_refused(model, tmp_path):
    data, bad = model.read_bytes(), tmp_path / "bad.vision"
    for length in [*range(0, 60), *range(60, len(data), 4001), len(data) - 1]:
        bad.write_bytes(data[:length])
        with pytest.raises(LoadError):
            load(bad)
    for around in (data + b"x", b"x" + data, data + data):
        bad.write_bytes(around)
        with pytest.raises(LoadError):
            load(bad)


def patched(path, member, *, size=None, packed=None, flags=None, method=None):
    """The archive with another claim about one member in its directory and before its data."""
    data = bytearray(path.read_bytes())
    for signature, at, name_at in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = data.find(signature)
        while start >= 0:
            if data[start + name_at :].startswith(member.encode()):
                for value, offset, form in (
                    (flags, at, "<H"),
                    (method, at + 2, "<H"),
                    (packed, at + 12, "<I"),
                    (size, at + 16, "<I"),
                ):
                    if value is not None:
                        struct.pack_into(form, data, start + offset, value)
            start = data.find(signature, start + 4)
    path.write_bytes(data)
    return path


def refused_cheaply(path, match, **options):
    """The refusal, for less memory than a picture."""
    tracemalloc.start()
    try:
        with pytest.raises(LoadError, match=match):
            load(path, **options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


BOMB = b"\0" * 300_000_000


def test_bombs_are_refused_unpacked(model):
    path = rewritten(
        model, {"steps/002-svc.skops": BOMB}, compression=zipfile.ZIP_DEFLATED, compresslevel=9
    )
    refused_cheaply(path, "no honest")
    # The same with a lie about what it holds: unpacking must stop where the claim ends.
    refused_cheaply(patched(path, "steps/002-svc.skops", size=1000), "damaged|number of bytes")
    refused_cheaply(patched(path, "steps/002-svc.skops", size=2**32 - 2), "no honest|claims")


def test_a_lie_about_the_text_is_refused_unpacked(model):
    path = rewritten(model, {"pipeline.yaml": b"#" * 300_000_000}, compression=zipfile.ZIP_DEFLATED)
    refused_cheaply(path, "no honest")
    refused_cheaply(patched(path, "pipeline.yaml", size=500), "damaged|number of bytes")


def test_claims_above_the_limit_are_refused(model):
    refused_cheaply(model, "max_bytes", max_bytes=10_000)
    honest = sum(len(data) for data in members(model).values())
    refused_cheaply(model, "max_bytes", max_bytes=honest - 1)
    assert load(model, max_bytes=honest).named_steps["svc"].C == 1


def test_archives_within_the_archive_are_not_compressed(model):
    name = "steps/002-svc.skops"
    saved(classifier(), model.parent, "honest.vision")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 300_000_000)
    refused_cheaply(rewritten(model, {name: buffer.getvalue()}), "no honest")
    honest = skops_files(members(model.with_name("honest.vision"))[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in honest.items():
            archive.writestr(file, data)
    refused_cheaply(rewritten(model, {name: buffer.getvalue()}), "no honest")


def test_names_within_an_inner_archive_are_safe_too(model):
    name = "steps/002-svc.skops"
    files = skops_files(members(model)[name])
    for evil in ("../evil.npy", "/tmp/evil.npy", ".npy", "a\\b.npy"):
        changed = stored_zip(files | {evil: npy(np.zeros(1))})
        refused_cheaply(rewritten(model, {name: changed}), "unsafe")


@pytest.mark.parametrize(
    "claim",
    [
        {"flags": 1, "match": "encrypted"},
        {"method": zipfile.ZIP_LZMA, "match": "unknown method"},
        {"method": zipfile.ZIP_BZIP2, "match": "unknown method"},
        {"method": 99, "match": "unknown method"},
        {"packed": 2**31, "match": "overlap"},
        {"size": 1, "match": "damaged|number of bytes"},
    ],
)
def test_odd_claims_about_a_member_are_refused(claim, model):
    claim = dict(claim)
    match = claim.pop("match")
    refused_cheaply(patched(model, "steps/002-svc.skops", **claim), match)


def test_two_members_of_one_name_are_refused(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(model, "a") as archive:
            archive.writestr("pipeline.yaml", b"- Gray")
    refused_cheaply(model, "one name")


def test_a_directory_of_very_many_entries_is_not_read(tmp_path):
    path = tmp_path / "many.vision"
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 6, 0, 0, 0, 1, *[0] * 4, 0, 0) + b"a"
    directory = entry * 400_000
    for count in (65_535, 60_000, 3_999, 400_000 % 65_536):
        end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), 0, 0)
        path.write_bytes(directory + end)
        refused_cheaply(path, "refused")
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 3_999, 3_999, 47 * 50_000, 0, 0)
    path.write_bytes(entry * 50_000 + end)
    refused_cheaply(path, "another number of entries")
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, 47, 0, 0)
    path.write_bytes(directory + locator + end)
    refused_cheaply(path, "members")


HEADERS = {
    "huge": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "huge in two": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }",
    "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }",
    "empty items": "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "objects within": "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }",
    "calls": "__import__('os').mkdir('mark')",
    "deep": "(" * 5_000,
    "no dictionary": "3",
    "other keys": "{'descr': '<f8'}",
}


@pytest.mark.parametrize("kind", HEADERS)
def test_headers_that_claim_more_than_follows_are_refused(
    kind, own_steps, model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    header = HEADERS[kind].encode("latin1") + b"\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    data += b"" if kind == "empty items" else b"\0" * 8
    own = saved(average(), tmp_path, "own.vision")
    refused_cheaply(
        rewritten(own, {"steps/001-average.npz": stored_zip({"mean_.npy": data})}), "refused"
    )
    name = "steps/002-svc.skops"
    files = skops_files(members(model)[name])
    array = next(file for file in files if file.endswith(".npy"))
    refused_cheaply(rewritten(model, {name: stored_zip(files | {array: data})}), "refused")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["apply.npy", "apply_.npy", "__class__.npy", "_x_.npy", "x_.txt"])
def test_attributes_that_are_no_fitted_ones_are_refused(name, own_steps, tmp_path, monkeypatch):
    monkeypatch.setattr(Average, "apply_", None, raising=False)
    own = saved(average(), tmp_path, "own.vision")
    with pytest.raises(LoadError, match="refused"):
        load(rewritten(own, {"steps/001-average.npz": stored_zip({name: npy(np.zeros(2))})}))


def test_a_bomb_within_the_files_of_a_step_is_refused(own_steps, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", BOMB)
    step = Network()
    step.weights_ = b"learned"
    path = saved(step, tmp_path)
    name = "steps/001-network/files/network.keras"
    assert members(path)[name] == b"learned"
    refused_cheaply(rewritten(path, {name: buffer.getvalue()}), "no honest")
    step.weights_ = buffer.getvalue()
    with pytest.raises(ParameterError, match="Network"):
        save(step, tmp_path / "b.vision")
