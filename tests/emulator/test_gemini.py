"""Gemini's API of the emulator: the same turns as contents and parts, refused as strictly."""

import json

import pytest

from longwire.emulator import Script, digest, merged, numbered

TOOLS = [
    {
        "functionDeclarations": [
            {
                "name": "read",
                "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}},
            }
        ]
    }
]
HELLO = {"role": "user", "parts": [{"text": "hello"}]}
USER = {"role": "user", "content": "hello"}
MODEL = "gemini-3-flash"


def post(it, method="generateContent", model=MODEL, query="", **members):
    url = f"{it.emulator.url}/v1beta/models/{model}:{method}{query}"
    body = {"contents": [HELLO]} | members
    return it.session.post(url, json=body, headers={"x-goog-api-key": "sk-one"})


async def whole(it, **members):
    """A response, which must be one."""
    async with post(it, **members) as answer:
        assert 200 == answer.status, await answer.text()
        return await answer.json()


async def chunks(it, **members):
    """The data of a stream."""
    async with post(it, "streamGenerateContent", query="?alt=sse", **members) as answer:
        assert (200, "text/event-stream") == (answer.status, answer.content_type)
        texts = (await answer.text()).split("\r\n\r\n")
        return [json.loads(text.removeprefix("data: ")) for text in texts if text]


async def refused(it, **members):
    """Status and error of a request that is refused."""
    async with post(it, **members) as answer:
        return answer.status, (await answer.json())["error"]


def text_of(*responses):
    parts = [part for each in responses for part in each["candidates"][0]["content"]["parts"]]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


async def test_an_answer_tells_the_digest_of_its_items(upstream):
    """The contents count as the items that they stand for, merged."""
    async with upstream() as it:
        response = await whole(it, systemInstruction={"parts": [{"text": "Be brief."}]})
        items = [{"role": "developer", "content": "Be brief."}, USER]
        assert f"context sha256:{digest(merged(items))}" == text_of(response)
        candidate = response["candidates"][0]
        assert ("STOP", MODEL) == (candidate["finishReason"], response["modelVersion"])
        assert "generate_content" == it.emulator.turns[-1].api


async def test_a_stream_is_the_answer_in_pieces(upstream):
    """Each event is a response; the last one has the reason, a signature and the usage."""
    async with upstream(Script(deltas=3)) as it:
        found = await chunks(it)
        assert 4 == len(found)
        assert f"context sha256:{digest([USER])}" == text_of(*found)
        assert [None, None, None, "STOP"] == [
            each["candidates"][0].get("finishReason") for each in found
        ]
        (last,) = found[-1]["candidates"][0]["content"]["parts"]
        assert ("", True) == (last["text"], bool(last["thoughtSignature"]))
        assert found[-1]["usageMetadata"]["promptTokenCount"] > 0


async def test_a_stream_without_sse_is_a_list(upstream):
    """Without `alt=sse` the same responses come as one JSON list."""
    async with upstream() as it, post(it, "streamGenerateContent") as answer:
        found = json.loads(await answer.read())
        assert f"context sha256:{digest([USER])}" == text_of(*found)


async def test_a_conversation_with_calls_has_the_digest_of_responses(upstream):
    """Signatures come back, and names and values of calls count as over Responses."""
    async with upstream(Script(tool_rounds=2, parallel_calls=2)) as it:
        contents, items = [HELLO], [USER]
        for _ in range(3):
            response = await whole(it, contents=contents, tools=TOOLS)
            assert digest(numbered(merged(items))) == it.emulator.turns[-1].digest
            content = response["candidates"][0]["content"]
            contents.append(content)
            outputs = []
            for part in content["parts"]:
                if "text" in part:
                    items.append({"role": "assistant", "content": part["text"]})
                    continue
                call = part["functionCall"]
                named = {"call_id": call["id"], "name": call["name"]}
                arguments = json.dumps(call["args"])
                items.append({"type": "function_call", "arguments": arguments, **named})
                output = {"call_id": call["id"], "output": "done"}
                outputs.append({"type": "function_call_output", **output})
            items += outputs
            parts = [
                {
                    "functionResponse": {
                        "name": part["functionCall"]["name"],
                        "id": part["functionCall"]["id"],
                        "response": {"output": "done"},
                    }
                }
                for part in content["parts"]
                if "functionCall" in part
            ]
            if parts:
                contents.append({"role": "user", "parts": parts})
        assert [] == it.emulator.violations


@pytest.mark.parametrize("query", ["", "?key=sk-one"])
async def test_a_key_is_needed(upstream, query):
    """A key in the query does as well as one in the header; without any it is 403."""
    async with upstream() as it:
        url = f"{it.emulator.url}/v1beta/models/{MODEL}:generateContent{query}"
        async with it.session.post(url, json={"contents": [HELLO]}) as answer:
            assert (200 if query else 403) == answer.status


async def test_tokens_are_counted(upstream):
    """`:countTokens` says what the usage of the turn says."""
    async with upstream() as it:
        counted = await (await post(it, "countTokens")).json()
        response = await whole(it)
        assert counted["totalTokens"] == response["usageMetadata"]["promptTokenCount"]


async def test_models_are_listed_by_pages(upstream):
    """The list comes in pages, each names the next one."""
    async with upstream(gemini_models=("gemini-a", "gemini-b")) as it:
        headers = {"x-goog-api-key": "sk-one"}
        url = f"{it.emulator.url}/v1beta/models?pageSize=1"
        async with it.session.get(url, headers=headers) as answer:
            first = await answer.json()
        async with it.session.get(f"{url}&pageToken=1", headers=headers) as answer:
            second = await answer.json()
        names = [entry["name"] for page in (first, second) for entry in page["models"]]
        assert ["models/gemini-a", "models/gemini-b"] == names
        assert ("1", None) == (first["nextPageToken"], second.get("nextPageToken"))
