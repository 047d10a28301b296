"""The whole schema of the admin API, merged from its nouns."""

from typing import Final

from strawberry.extensions import ParserCache
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from longwire.server.admin.accounts import AccountMutations, AccountQueries
from longwire.server.admin.alert_destinations import (
    AlertDestinationMutations,
    AlertDestinationQueries,
)
from longwire.server.admin.alert_rules import AlertRuleMutations, AlertRuleQueries
from longwire.server.admin.alerts import AlertQueries
from longwire.server.admin.body_search import BodySearchQueries
from longwire.server.admin.budgets import BudgetMutations, BudgetQueries
from longwire.server.admin.channel_keys import ChannelKeyMutations
from longwire.server.admin.channels import ChannelMutations, ChannelQueries
from longwire.server.admin.drafts import DraftQueries
from longwire.server.admin.errors import AdminSchema
from longwire.server.admin.find import FindQueries
from longwire.server.admin.keys import KeyMutations, KeyQueries
from longwire.server.admin.latency import LatencyQueries
from longwire.server.admin.limits import QueryLimits
from longwire.server.admin.models import ModelMutations, ModelQueries
from longwire.server.admin.names import Names
from longwire.server.admin.nodes import NodeQueries
from longwire.server.admin.override_previews import OverridePreviewQueries
from longwire.server.admin.presets import PresetQueries
from longwire.server.admin.probes import ProbeMutations
from longwire.server.admin.profiles import ProfileQueries
from longwire.server.admin.projects import ProjectMutations, ProjectQueries
from longwire.server.admin.routes import RouteQueries
from longwire.server.admin.runs import RunQueries
from longwire.server.admin.scalars import scalar_map
from longwire.server.admin.sessions import SessionMutations, SessionQueries, SessionSubscriptions
from longwire.server.admin.settings import SettingsMutations, SettingsQueries
from longwire.server.admin.sign_in_options import SignInMutations, SignInQueries
from longwire.server.admin.turns import TurnQueries, TurnSubscriptions
from longwire.server.admin.usage import UsageQueries
from longwire.server.admin.users import UserMutations, UserQueries

_QUERIES: Final = (
    UserQueries,
    SignInQueries,
    ChannelQueries,
    AccountQueries,
    DraftQueries,
    OverridePreviewQueries,
    PresetQueries,
    ModelQueries,
    RouteQueries,
    ProfileQueries,
    KeyQueries,
    ProjectQueries,
    TurnQueries,
    FindQueries,
    BodySearchQueries,
    UsageQueries,
    BudgetQueries,
    LatencyQueries,
    SessionQueries,
    RunQueries,
    NodeQueries,
    SettingsQueries,
    AlertQueries,
    AlertRuleQueries,
    AlertDestinationQueries,
)
_MUTATIONS: Final = (
    UserMutations,
    SignInMutations,
    ChannelMutations,
    ChannelKeyMutations,
    AccountMutations,
    ModelMutations,
    ProbeMutations,
    KeyMutations,
    BudgetMutations,
    ProjectMutations,
    SessionMutations,
    SettingsMutations,
    AlertRuleMutations,
    AlertDestinationMutations,
)
_SUBSCRIPTIONS: Final = (TurnSubscriptions, SessionSubscriptions)


def build_schema() -> AdminSchema:
    """Return the schema, with its limits."""
    return AdminSchema(
        query=merge_types("Query", _QUERIES),
        mutation=merge_types("Mutation", _MUTATIONS),
        subscription=merge_types("Subscription", _SUBSCRIPTIONS),
        extensions=[QueryLimits, ParserCache],
        config=StrawberryConfig(name_converter=Names(), scalar_map=scalar_map()),
    )


def schema_text() -> str:
    """Return the schema in GraphQL's own language."""
    return build_schema().as_str() + "\n"
