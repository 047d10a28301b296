/** Every page and its address. Pages are loaded when they are first opened. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { basePath } from "@/api/place";
import { meQuery } from "@/api/me";
import { Broken, NotFound, Waiting } from "./Broken";
import { Shell } from "./Shell";

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Outlet,
  errorComponent: Broken,
  notFoundComponent: NotFound,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string; problem?: string } => ({
    ...(typeof search["to"] === "string" && { to: search["to"] }),
    ...(typeof search["problem"] === "string" && { problem: search["problem"] }),
  }),
  component: lazyRouteComponent(() => import("@/features/signin/SignInPage"), "SignInPage"),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("@/features/signin/JoinPage"), "SetupPage"),
});
const join = createRoute({
  getParentRoute: () => root,
  path: "/join",
  component: lazyRouteComponent(() => import("@/features/signin/JoinPage"), "JoinPage"),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    const { me, setupIsNeeded } = await context.queries.ensureQueryData(meQuery);
    if (me !== null) return;
    if (setupIsNeeded) throw redirect({ to: "/setup" });
    throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { to: location.href } });
  },
});

const within = <P extends string>(path: P) => ({ getParentRoute: () => shell, path }) as const;

/** Filters of a page live in its address: every value is a text. */
const textSearch = (search: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(search)
      .filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([name, value]) => [name, String(value)]),
  );

const pages = [
  createRoute({
    ...within("/"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/overview/OverviewPage"), "OverviewPage"),
  }),
  createRoute({
    ...within("/start"),
    component: lazyRouteComponent(() => import("@/features/start/StartPage"), "StartPage"),
  }),
  createRoute({
    ...within("/sessions"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/sessions/SessionsPage"), "SessionsPage"),
  }),
  createRoute({
    ...within("/sessions/$session"),
    component: lazyRouteComponent(() => import("@/features/sessions/RunPage"), "SessionPage"),
  }),
  createRoute({
    ...within("/traces/$trace"),
    component: lazyRouteComponent(() => import("@/features/sessions/RunPage"), "TracePage"),
  }),
  createRoute({
    ...within("/turns"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/turns/TurnsPage"), "TurnsPage"),
  }),
  createRoute({
    ...within("/playground"),
    component: lazyRouteComponent(() => import("@/features/playground/PlaygroundPage"), "PlaygroundPage"),
  }),
  createRoute({
    ...within("/channels"),
    component: lazyRouteComponent(() => import("@/features/channels/ChannelsPage"), "ChannelsPage"),
  }),
  createRoute({
    ...within("/channels/new"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/channels/ChannelPage"), "NewChannelPage"),
  }),
  createRoute({
    ...within("/channels/$channel"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/channels/ChannelPage"), "ChannelPage"),
  }),
  createRoute({
    ...within("/channels/$channel/settings"),
    component: lazyRouteComponent(() => import("@/features/channels/ChannelPage"), "ChannelSettingsPage"),
  }),
  createRoute({
    ...within("/public-models"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/models/ModelsPage"), "ModelsPage"),
  }),
  createRoute({
    ...within("/keys"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/keys/KeysPage"), "KeysPage"),
  }),
  createRoute({
    ...within("/budgets"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/budgets/BudgetsPage"), "BudgetsPage"),
  }),
  createRoute({
    ...within("/projects"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/projects/ProjectsPage"), "ProjectsPage"),
  }),
  createRoute({
    ...within("/users"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/users/UsersPage"), "UsersPage"),
  }),
  createRoute({
    ...within("/audit"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/audit/AuditPage"), "AuditPage"),
  }),
  createRoute({
    ...within("/alerts"),
    validateSearch: textSearch,
    component: lazyRouteComponent(() => import("@/features/alerts/AlertsPage"), "AlertsPage"),
  }),
  createRoute({
    ...within("/nodes"),
    component: lazyRouteComponent(() => import("@/features/nodes/NodesPage"), "NodesPage"),
  }),
  createRoute({
    ...within("/settings"),
    component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "SettingsPage"),
  }),
  createRoute({
    ...within("/help/$"),
    component: lazyRouteComponent(() => import("@/features/docs/DocsPage"), "DocsPage"),
  }),
  // Whatever else is asked for: the navigation stays around it.
  createRoute({ ...within("$"), component: NotFound }),
];

export function createPages(queries: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([signIn, setup, join, shell.addChildren(pages)]),
    basepath: basePath === "" ? "/" : basePath,
    context: { queries },
    defaultPreload: "intent",
    defaultPendingComponent: Waiting,
    defaultPendingMs: 150,
    defaultErrorComponent: Broken,
    scrollRestoration: true,
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const text = new URLSearchParams(textSearch(search)).toString();
      return text === "" ? "" : `?${text}`;
    },
  });
}
