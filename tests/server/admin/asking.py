"""Queries made from the schema itself, so that a new field is asked without anybody's doing."""

from functools import cache

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from longwire.server.admin.schema import schema_text

TEXTS = {"Int": "1", "Int64": "1", "Float": "1.5", "Boolean": "true"}
TIME = '"2026-09-21T14:13:20Z"'


@cache
def root_fields(kind):
    """The fields of Query, Mutation or Subscription, by name."""
    return build_schema(schema_text()).type_map[kind].fields


def query(kind, name, *, levels=0):
    """Ask one field, with the arguments that it needs, and what lies so many levels below it."""
    field = root_fields(kind)[name]
    needed = {name: each for name, each in field.args.items() if is_required_argument(each)}
    told = ", ".join(f"{name}: {literal(each.type)}" for name, each in needed.items())
    arguments = f"({told})" if told else ""
    return f"{kind.lower()} {{ {name}{arguments} {selection(field.type, levels)} }}"


def literal(type_):
    """Some value of a type."""
    if isinstance(type_, GraphQLNonNull):
        return literal(type_.of_type)
    if isinstance(type_, GraphQLList):
        return f"[{literal(type_.of_type)}]"
    if isinstance(type_, GraphQLEnumType):
        return list(type_.values)[-1]
    if isinstance(type_, GraphQLInputObjectType):
        needed = {n: f.type for n, f in type_.fields.items() if is_required_input_field(f)}
        return f"{{{', '.join(f'{name}: {literal(each)}' for name, each in needed.items())}}}"
    return TEXTS.get(type_.name, TIME if type_.name == "DateTime" else '"x"')


def selection(type_, levels):
    """All that lies below a field, or its mere name where that is deep enough."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return ""
    if not levels:
        return "{ __typename }"
    below = {
        name: field
        for name, field in named.fields.items()
        if not any(is_required_argument(each) for each in field.args.values())
    }
    told = (f"{name} {selection(field.type, levels - 1)}" for name, field in below.items())
    return f"{{ {' '.join(told)} }}"
