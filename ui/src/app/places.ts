/** The places of the navigation and the palette, in their order. */
import {
  Activity,
  BellRing,
  Boxes,
  FileClock,
  FolderKanban,
  Footprints,
  Gauge,
  KeyRound,
  type LucideIcon,
  MessageSquareText,
  PiggyBank,
  Radio,
  Server,
  Settings,
  Split,
  Users,
} from "lucide-react";
import type { Texts } from "@/shared/i18n/texts";

export interface Place {
  to: string;
  name: keyof Texts["app"]["places"];
  icon: LucideIcon;
  /** What one must be allowed to see it. */
  permission?: string;
}

/** Until a turn was seen to continue. */
export const START: Place = { to: "/start", name: "start", icon: Footprints };

export const PLACES: readonly (readonly Place[])[] = [
  [
    { to: "/", name: "overview", icon: Gauge },
    { to: "/sessions", name: "sessions", icon: Radio },
    { to: "/turns", name: "turns", icon: Activity },
    { to: "/playground", name: "playground", icon: MessageSquareText },
  ],
  [
    { to: "/channels", name: "channels", icon: Split, permission: "channels:read" },
    { to: "/public-models", name: "models", icon: Boxes, permission: "channels:read" },
    { to: "/keys", name: "keys", icon: KeyRound },
    { to: "/budgets", name: "budgets", icon: PiggyBank },
    { to: "/projects", name: "projects", icon: FolderKanban },
  ],
  [
    { to: "/alerts", name: "alerts", icon: BellRing, permission: "alerts:read" },
    { to: "/users", name: "users", icon: Users, permission: "users:read" },
    { to: "/audit", name: "audit", icon: FileClock, permission: "audit:read" },
    { to: "/nodes", name: "nodes", icon: Server, permission: "channels:read" },
    { to: "/settings", name: "settings", icon: Settings, permission: "settings:read" },
  ],
];
