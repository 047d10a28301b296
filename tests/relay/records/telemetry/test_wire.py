import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as PB2Span

from longwire.relay.records.telemetry.wire import Span, attributes, encoded, request

IDS = st.integers(1, 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
VALUES = st.one_of(st.none(), TEXTS, st.integers(-(2**63), 2**63 - 1))


@given(
    st.builds(
        Span,
        trace=st.integers(1, 2**128 - 1),
        id=IDS,
        parent=st.one_of(st.just(0), IDS),
        is_server=st.booleans(),
        is_error=st.booleans(),
        name=TEXTS,
        state=st.from_regex(r"\A[a-z]{0,8}(=[a-z0-9]{0,20})?\Z"),
        start=st.integers(0, 2**63),
        end=st.integers(0, 2**63),
        attributes=st.just(b""),
    ),
    st.dictionaries(TEXTS, VALUES, max_size=8),
)
def test_protobuf_reads_every_span_as_it_was_meant(span, known):
    """The official decoder finds each field, and no field that it does not know."""
    resource = Resource(
        attributes=[KeyValue(key="service.name", value=AnyValue(string_value="longwire"))]
    )
    scope = InstrumentationScope(name="longwire", version="1")
    wire = encoded(span._replace(attributes=attributes(known)))
    whole = request(resource.SerializeToString(), scope.SerializeToString(), [wire, wire])
    (of_resource,) = ExportTraceServiceRequest.FromString(whole).resource_spans
    (of_scope,) = of_resource.scope_spans
    assert (resource, scope, 2) == (of_resource.resource, of_scope.scope, len(of_scope.spans))
    read = of_scope.spans[1]
    assert span.trace.to_bytes(16) == read.trace_id
    assert (span.id, span.parent) == (
        int.from_bytes(read.span_id),
        int.from_bytes(read.parent_span_id),
    )
    assert (span.name, span.state, span.start, span.end) == (
        read.name,
        read.trace_state,
        read.start_time_unix_nano,
        read.end_time_unix_nano,
    )
    kind = PB2Span.SPAN_KIND_SERVER if span.is_server else PB2Span.SPAN_KIND_CLIENT
    assert (kind, 2 * span.is_error) == (read.kind, read.status.code)
    found = {
        each.key: each.value.string_value
        if each.value.HasField("string_value")
        else each.value.int_value
        for each in read.attributes
    }
    assert {name: value for name, value in known.items() if value not in (None, "")} == found


@pytest.mark.parametrize(("is_server", "parent", "flags"), [(True, 7, 0x300), (True, 0, 0x100)])
def test_a_span_says_whether_its_parent_is_elsewhere(is_server, parent, flags):
    """Only a caller's span is."""
    span = Span(1, "chat", "", 2, parent, 1, 2, b"", False, is_server)
    whole = request(b"", b"", [encoded(span)])
    read = ExportTraceServiceRequest.FromString(whole).resource_spans[0].scope_spans[0].spans[0]
    assert flags == read.flags & 0x300
