import { getRouteApi } from "@tanstack/react-router";

const route = getRouteApi("/shell/turns");

/** Changes filters in the address; an empty one leaves it. */
export function useSet() {
  const navigate = route.useNavigate();
  return (part: Record<string, string>) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, ...part }).filter(([, value]) => value !== "")),
      replace: true,
    });
}
