/** Settings as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

const SETTINGS = graphql(`query Settings { settings { turnDays bodyDays revision file indexesBodies } }`);
export const fetchSettings = (signal?: AbortSignal) => ask(SETTINGS, {}, signal).then((told) => told.settings);
export const settingsQuery = queryOptions({ queryKey: ["settings"], queryFn: ({ signal }) => fetchSettings(signal) });
export type Settings = ResultOf<typeof SETTINGS>["settings"];

const UPDATE = graphql(`
  mutation UpdateSettings($revision: Int!, $input: SettingsInput!) {
    updateSettings(revision: $revision, input: $input) { turnDays bodyDays revision file indexesBodies }
  }
`);
export type SettingsInput = VariablesOf<typeof UPDATE>["input"];
export const updateSettings = (revision: number, input: SettingsInput) =>
  ask(UPDATE, { revision, input }).then((told) => told.updateSettings);

const RELOAD = graphql(`mutation ReloadFile { reloadFile { file channels apiKeys } }`);
export const reloadFile = () => ask(RELOAD, {}).then((told) => told.reloadFile);
