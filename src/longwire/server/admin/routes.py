"""Where a turn would go, asked before it is sent, or before a model is saved."""

from collections.abc import Iterator
from typing import Annotated

import strawberry

from longwire.core.errors import FieldProblem, NotFound, refuse
from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import APIS
from longwire.dialects.sample import MOST_TOKENS, Sample
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.explanations import Explanation, caller_of, shown
from longwire.server.admin.inputs import view_of
from longwire.server.admin.model_inputs import NEW, ModelInput, drafted
from longwire.server.admin.sight import sight_of

KeyId = Annotated[strawberry.ID | None, strawberry.argument(name="keyID")]


@strawberry.input(name="RouteRequest", description="A turn that could come.")
class Request:
    model: str
    api_format: str = "responses"
    streams: bool = True
    has_tools: bool = False
    input_tokens: int = 0
    session: str = strawberry.field(default="", description="Weights are drawn by it.")


Wanted = Annotated[Request, strawberry.argument(name="input")]


async def _explain(
    info: Info, wanted: Wanted, key_id: KeyId = None, draft: ModelInput | None = None
) -> Explanation:
    viewer, administration = admitted(info, Permission.CHANNELS_READ)
    refuse(_problems(wanted))
    model = None
    if draft is not None:
        model, problems = await drafted(administration, NEW, draft)
        refuse(problems)
    caller = await caller_of(administration, key_id)
    sight = await sight_of(administration, viewer)
    if key_id and not sight.shows(caller.grant.project_id, key_id):
        raise NotFound("API key", key_id)
    sample = view_of(Sample, wanted, api=wanted.api_format)
    explained = await administration.explain(sample, caller, model)
    return shown(explained.steps, explained.problem)


def _problems(wanted: Request) -> Iterator[FieldProblem]:
    if wanted.api_format not in APIS:
        yield FieldProblem("apiFormat", f"write one of {', '.join(APIS)}")
    if not 0 <= wanted.input_tokens <= MOST_TOKENS:
        yield FieldProblem("inputTokens", f"must be 0 to {MOST_TOKENS}")


@strawberry.type
class RouteQueries:
    explain_route: Explanation = strawberry.field(
        resolver=_explain,
        description="Where a turn would go, by the code that routes turns; of a key, or of "
        "anybody, and with a draft in the place of the model of its name.",
    )
