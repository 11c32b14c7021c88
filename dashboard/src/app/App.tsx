import { Suspense } from "react";
import type { ReactElement } from "react";
import { createHashRouter, RouterProvider } from "react-router";

import { useCapabilities, useCapabilitiesFailure } from "@/api/capabilities";
import { useSession } from "@/api/session";
import { AppFrame } from "@/components/AppFrame";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { PageFailure } from "@/components/PageFailure";
import { ChangePasswordPage, LoginPage } from "@/features/login";

import { NotHere } from "./NotHere";
import { PAGES } from "./pages";
import { Shell } from "./Shell";

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

export function App(): ReactElement {
  return (
    <AppFrame>
      <RouterProvider router={router} />
    </AppFrame>
  );
}
