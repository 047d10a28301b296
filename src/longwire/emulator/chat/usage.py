"""The usage of an answer, counted as Responses counts it and said as the vendor says it."""

from longwire.emulator.chat.vendors import Vendor
from longwire.emulator.items import Item


def usage_of(usage: Item, vendor: Vendor) -> Item:
    """`usage` of Responses as the vendor has it."""
    prompt, output = usage["input_tokens"], usage["output_tokens"]
    cached = usage["input_tokens_details"]["cached_tokens"]
    thought = usage["output_tokens_details"]["reasoning_tokens"]
    beside = vendor.counts == "reasoning_beside"
    counted: Item = {
        "prompt_tokens": prompt,
        "completion_tokens": output - thought if beside else output,
        "total_tokens": prompt + output,
    }
    match vendor.counts:
        case "cached_on_top":
            counted["cached_tokens"] = cached
        case "bare":
            return counted
        case _:
            counted["prompt_tokens_details"] = {"cached_tokens": cached}
    if vendor.counts == "hits_and_misses":
        counted |= {"prompt_cache_hit_tokens": cached, "prompt_cache_miss_tokens": prompt - cached}
    if vendor.counts == "audio_too":
        counted["prompt_tokens_details"]["audio_tokens"] = 0
    return counted | {"completion_tokens_details": {"reasoning_tokens": thought}}
