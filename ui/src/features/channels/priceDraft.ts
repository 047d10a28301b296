/** Prices of a channel as they are being written. */
import type { Channel } from "./api";

export interface Amounts {
  input: string;
  cached: string;
  cacheWrite: string;
  output: string;
}
/** What turns of more input than `above` tokens cost. */
export interface TierDraft extends Amounts {
  above: string;
}
export interface PriceDraft extends Amounts {
  model: string;
  tiers: TierDraft[];
}
const NO_AMOUNTS: Amounts = { input: "", cached: "", cacheWrite: "", output: "" };
export const NO_TIER: TierDraft = { above: "", ...NO_AMOUNTS };
export const NO_PRICE: PriceDraft = { model: "", ...NO_AMOUNTS, tiers: [] };

type Price = Channel["prices"][number];

const text = (value: number | null) => (value === null ? "" : String(value));
const number = (typed: string) => (typed.trim() === "" ? null : Number(typed));

const amountsOf = (price: Omit<Price, "model" | "tiers">): Amounts => ({
  input: text(price.input),
  cached: text(price.cached),
  cacheWrite: text(price.cacheWrite),
  output: text(price.output),
});

export function pricesOf(channel: Channel): PriceDraft[] {
  return channel.prices.map((each) => ({
    model: each.model,
    ...amountsOf(each),
    tiers: each.tiers.map((tier) => ({ above: text(tier.above), ...amountsOf(tier) })),
  }));
}

/** What is left empty is sent as null, and never as 0. */
export function priceInputs(prices: readonly PriceDraft[]) {
  return prices.map((each) => ({
    model: each.model.trim(),
    input: number(each.input),
    cached: number(each.cached),
    cacheWrite: number(each.cacheWrite),
    output: number(each.output),
    tiers: each.tiers.map((tier) => ({
      above: Number(tier.above),
      input: Number(tier.input),
      cached: number(tier.cached),
      cacheWrite: number(tier.cacheWrite),
      output: Number(tier.output),
    })),
  }));
}
