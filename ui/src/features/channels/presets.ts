/** Known vendors in the editor: what one sets of a draft, and whose a draft is. */
import { recordOf } from "@/api/records";
import { ALL_APIS, type AnyApi, type ChannelType, DEFAULT_BASE_URLS, type Transport } from "@/api/words";
import type { Preset } from "./api";
import { type ChannelDraft, type EndpointDraft, INHERITED } from "./draft";

/** What a preset sets of a draft; what else is typed stays, but a name that another preset gave. */
export function withPreset(draft: ChannelDraft, preset: Preset, presets: readonly Preset[]): Partial<ChannelDraft> {
  const isOwnName = draft.name !== "" && presets.every((each) => each.name !== draft.name);
  const type = preset.type as ChannelType;
  const own = (api: AnyApi): EndpointDraft => ({
    ...INHERITED,
    baseURL: preset.endpoints.find((each) => each.apiFormat === api)?.baseURL ?? "",
  });
  return {
    type,
    name: isOwnName ? draft.name : preset.name,
    baseURL: { ...draft.baseURL, [type]: preset.baseURL },
    apis: { ...draft.apis, [type]: preset.apis as AnyApi[] },
    profile: preset.profile,
    transport: preset.transport as Transport,
    endpoints: recordOf(ALL_APIS, own),
  };
}

/** The preset that a draft has the address of, if it has one's. */
export function presetOf(draft: ChannelDraft, presets: readonly Preset[]): Preset | undefined {
  const base = draft.baseURL[draft.type] || DEFAULT_BASE_URLS[draft.type];
  return presets.find((each) => each.type === draft.type && each.baseURL === base);
}
