/** A budget as it is being written. */
import { exhaustive } from "@/api/records";
import { differencesOf } from "@/shared/draft";
import type { Budget, BudgetInput, NewBudget } from "./api";

export const KINDS = exhaustive<Budget["kind"]>({ KEY: true, USER: true, PROJECT: true, CHANNEL: true });
export const PERIODS = exhaustive<Budget["period"]>({ DAY: true, WEEK: true, MONTH: true });
export const UNITS = exhaustive<Budget["unit"]>({ DOLLARS: true, TOKENS: true });
export const ACTIONS = exhaustive<Budget["action"]>({ REFUSE: true, WARN: true });

export interface BudgetDraft extends Pick<Budget, "kind" | "subjectID" | "period" | "unit" | "action"> {
  amount: string;
  /** Shares in percent, apart by commas. */
  warnsAt: string;
}

export const NEW_BUDGET: BudgetDraft = {
  kind: "PROJECT",
  subjectID: "",
  period: "MONTH",
  unit: "DOLLARS",
  amount: "",
  warnsAt: "80",
  action: "REFUSE",
};

export function draftOf(budget: Budget): BudgetDraft {
  const { kind, subjectID, period, unit, action } = budget;
  return { kind, subjectID, period, unit, action, amount: String(budget.amount), warnsAt: budget.warnsAt.join(", ") };
}

/** What of a budget may change later. */
export function inputOf(draft: BudgetDraft): BudgetInput {
  return {
    amount: Number(draft.amount),
    warnsAt: draft.warnsAt.split(/[\s,%]+/).filter(Boolean).map(Number),
    action: draft.action,
  };
}

export function newInputOf(draft: BudgetDraft): NewBudget {
  const { kind, subjectID, period, unit } = draft;
  return { kind, subjectID, period, unit, ...inputOf(draft) };
}

export const differences = (theirs: BudgetDraft, yours: BudgetDraft) => differencesOf(["amount", "warnsAt", "action"], theirs, yours);
