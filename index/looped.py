"""A model that reads one text a run, made to read many in one: a loop around it, written into the model file itself.

Each text still goes through the same steps alone, so that its vector is the same, bit for bit. What is saved is the way
through Python between two texts, and with it the wait for Python's lock, which others may hold for long.

An ONNX file is a protobuf message: fields, each of them a number and a value. The numbers below are those of ONNX
(github.com/onnx/onnx, onnx.proto); an operator's meaning is in its list of operators.
"""

from collections.abc import Iterator, Sequence

MANY = "many_"
"""What the names of the new model's inputs begin with: each is a sequence of what the old one's was."""
ALL = "all"
"""The new model's one output: the old one's first, of each text, stacked."""

_NAME, _TYPE = 1, 2  # of an input or output
_TENSOR, _SEQUENCE = 1, 4  # kinds of types
_ELEMENT, _SHAPE = 1, 2  # of a tensor; a sequence has the first alone
_FLOAT, _INT64, _BOOL = 1, 7, 9  # elements of tensors
_FROM, _TO, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5  # of a node
_ATTRIBUTE_NAME, _ATTRIBUTE_GRAPH, _ATTRIBUTE_KIND, _IS_GRAPH = 1, 6, 20, 5
_NODE, _GRAPH_NAME, _WEIGHTS, _INPUT, _OUTPUT = 1, 2, 5, 11, 12  # of a graph
_GRAPH = 7  # of a model
_NUMBER, _EIGHT_BYTES, _WITH_LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # how the value of a field is written

# A message in pieces, put together once: the weights are large.
_Pieces = Sequence[bytes | memoryview]


def over_many(model: bytes) -> bytes:
    """The model with a loop around its graph."""
    fields = list(_fields(memoryview(model)))
    graph = [field for number, value, _ in fields if number == _GRAPH for field in _fields(value)]
    inputs = [value for number, value, _ in graph if number == _INPUT]
    output = next(value for number, value, _ in graph if number == _OUTPUT)
    names = [bytes(_first(value, _NAME)).decode() for value in inputs]
    body = [
        *_declared(_INPUT, "place", _scalar(_INT64)),
        *_declared(_INPUT, "go_on", _scalar(_BOOL)),
        *(piece for name in names for piece in _node("SequenceAt", [MANY + name, "place"], [name])),
        # The shapes of inner values too: by them onnxruntime joins the same steps as without a loop.
        *(whole for number, _, whole in graph if number not in {_WEIGHTS, _INPUT, _OUTPUT}),
        *_node("Identity", ["go_on"], ["goes_on"]),
        *_declared(_OUTPUT, "goes_on", _scalar(_BOOL)),
        *_field(_OUTPUT, [output]),
    ]
    loop = [
        *_field(_ATTRIBUTE_NAME, [b"body"]),
        *_field(_ATTRIBUTE_GRAPH, body),
        *_number(_ATTRIBUTE_KIND, _IS_GRAPH),
    ]
    around = [
        *_node("SequenceLength", [MANY + names[0]], ["count"]),
        *_node("Loop", ["count", ""], [ALL], loop),
        *_field(_GRAPH_NAME, [b"over_many"]),
        # Within the loop they would be held twice.
        *(whole for number, _, whole in graph if number == _WEIGHTS),
    ]
    for name, value in zip(names, inputs, strict=True):
        around += _declared(_INPUT, MANY + name, _field(_SEQUENCE, _field(_ELEMENT, [_first(value, _TYPE)])))
    around += _declared(_OUTPUT, ALL, _field(_TENSOR, _number(_ELEMENT, _FLOAT)))
    rest = [whole for number, _, whole in fields if number != _GRAPH]
    return b"".join([*rest, *_field(_GRAPH, around)])


# --- ONNX ---------------------------------------------------------------------------------------------------------


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], attribute: _Pieces = ()) -> _Pieces:
    pieces = [piece for name in inputs for piece in _field(_FROM, [name.encode()])]
    pieces += [piece for name in outputs for piece in _field(_TO, [name.encode()])]
    pieces += _field(_OPERATOR, [operator.encode()])
    return _field(_NODE, [*pieces, *(_field(_ATTRIBUTE, attribute) if attribute else ())])


def _declared(place: int, name: str, its_type: _Pieces) -> _Pieces:
    """An input or output of a graph."""
    return _field(place, [*_field(_NAME, [name.encode()]), *_field(_TYPE, its_type)])


def _scalar(element: int) -> _Pieces:
    return _field(_TENSOR, [*_number(_ELEMENT, element), *_field(_SHAPE, [])])


# --- protobuf -----------------------------------------------------------------------------------------------------


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """The number of each field, its value, and the field as it is written."""
    end = 0
    while end < len(message):
        begin = end
        key, at = _read_number(message, begin)
        if key & 7 == _WITH_LENGTH:
            length, at = _read_number(message, at)
            end = at + length
        elif key & 7 == _NUMBER:
            end = _read_number(message, at)[1]
        else:
            end = at + {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}[key & 7]
        yield key >> 3, message[at:end], message[begin:end]


def _first(message: memoryview, wanted: int) -> memoryview:
    return next(value for number, value, _ in _fields(message) if number == wanted)


def _read_number(message: memoryview, at: int) -> tuple[int, int]:
    """A number and where it ends: seven bits a byte, the lowest first; the last byte is below 128."""
    number = shift = 0
    while message[at] > 127:
        number |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return number | message[at] << shift, at + 1


def _written(number: int) -> bytes:
    low = bytearray()
    while number > 127:
        low.append(number & 127 | 128)
        number >>= 7
    return bytes((*low, number))


def _field(number: int, value: _Pieces) -> _Pieces:
    return [_written(number << 3 | _WITH_LENGTH), _written(sum(map(len, value))), *value]


def _number(number: int, value: int) -> _Pieces:
    return [_written(number << 3 | _NUMBER), _written(value)]
