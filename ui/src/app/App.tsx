import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import i18next from "i18next";
import { createQueries } from "@/api/queries";
import { onReturn } from "@/api/reach";
import { failureText } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { Toasts } from "@/shared/Toasts";
import { createPages } from "./routes";
import { SignInAgain } from "./SignInAgain";

const queries = createQueries((error) => tell(failureText(error, i18next.t), { kind: "bad" }));
const pages = createPages(queries);
onReturn(() => void queries.invalidateQueries());

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof pages;
  }
}

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={pages} />
      <SignInAgain place={() => pages.state.location.href} />
      <Toasts />
    </QueryClientProvider>
  );
}
