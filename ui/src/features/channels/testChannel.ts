/** The test of a channel: two turns at its upstream, as the admin API has it. */
import { ask } from "@/api/client";
import { graphql } from "@/api/graphql";

const TEST = graphql(`
  mutation TestChannel($id: ID!, $model: String, $api: String) {
    testChannel(input: { channelID: $id, modelID: $model, apiFormat: $api }) {
      success error api transport model handshakeMs firstEventMs continued cachedTokens dropped
    }
  }
`);
export const testChannel = (id: string, model: string, api: string) =>
  ask(TEST, { id, model: model === "" ? null : model, api: api === "" ? null : api }).then((told) => told.testChannel);
export type Tested = Awaited<ReturnType<typeof testChannel>>;
