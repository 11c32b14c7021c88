import { Center, Loader, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { Suspense } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { createHashRouter, RouterProvider } from "react-router";

import { useCapabilities, useCapabilitiesFailure } from "@/api/capabilities";
import { queryClient } from "@/api/hooks";
import { useSession } from "@/api/session";
import { ErrorPanel } from "@/components/ErrorPanel";
import { ConfirmProvider } from "@/components/confirm";
import { ToastProvider } from "@/components/toasts";
import { ChangePasswordPage, LoginPage } from "@/features/login";

import { NotHere, PageFailure } from "./Failure";
import { PAGES } from "./pages";
import { Shell } from "./Shell";
import { theme } from "./theme";

function Loading(): ReactElement {
  const { t } = useTranslation();
  return (
    <Center py="xl">
      <Loader aria-label={t("loading")} />
    </Center>
  );
}

/** Only who is signed in, with a password of their own, gets further. */
function Gate(): ReactElement {
  const session = useSession();
  const capabilities = useCapabilities();
  const failure = useCapabilitiesFailure();
  if (session === null) return <LoginPage />;
  if (session.mustChangePassword) return <ChangePasswordPage />;
  if (capabilities === undefined) {
    if (failure.error === null) return <Loading />;
    return (
      <main className="login-page">
        <ErrorPanel error={failure.error} onRetry={failure.retry} />
      </main>
    );
  }
  return <Shell capabilities={capabilities} />;
}

// The address after # never reaches the node: every page is the one file that it serves.
const router = createHashRouter([
  {
    element: <Gate />,
    errorElement: <PageFailure />,
    children: [
      ...PAGES.map(({ path, component: Component }) => ({
        path,
        errorElement: <PageFailure />,
        element: (
          <Suspense fallback={<Loading />}>
            <Component />
          </Suspense>
        ),
      })),
      { path: "*", element: <NotHere /> },
    ],
  },
]);

/** What the node wrote into the page: with it, and only so, a style sheet may be put in. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

export function App(): ReactElement {
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
          <ConfirmProvider>
            <RouterProvider router={router} />
          </ConfirmProvider>
        </ToastProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
