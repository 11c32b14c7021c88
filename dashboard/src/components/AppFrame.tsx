/** What stands around every page of an application: theme, answers kept, messages, questions. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import type { ReactElement, ReactNode } from "react";

import { queryClient } from "@/lib/query";

import { ConfirmProvider } from "./confirm";
import { theme } from "./theme";
import { ToastProvider } from "./toasts";

/** What the server wrote into the page: with it, and only so, a style sheet may be put in. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

export function AppFrame({ children }: { children: ReactNode }): ReactElement {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <ToastProvider>
          <ConfirmProvider>{children}</ConfirmProvider>
        </ToastProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
