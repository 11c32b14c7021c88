import { Suspense } from "react";
import type { ReactElement } from "react";
import { createHashRouter, RouterProvider, useLocation } from "react-router";

import { AppFrame } from "@/components/AppFrame";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { PageFailure } from "@/components/PageFailure";
import { useGet } from "@console/api/hooks";
import { useSession } from "@console/api/session";
import { LoginPage } from "@console/features/login";
import { SetupPage, useSetupSteps } from "@console/features/setup";

import { MustFirst } from "./MustFirst";
import { NotHere } from "./NotHere";
import { OPEN_PAGES } from "./openPages";
import { PAGES } from "./pages";
import { Shell } from "./Shell";

/** Without an administrator there is only the wizard; without a session only the way to one. */
function Gate(): ReactElement {
  const session = useSession();
  const setup = useGet("/setup", { enabled: session === null });
  const { underWay } = useSetupSteps();
  const OpenPage = OPEN_PAGES[useLocation().pathname];
  if (OpenPage !== undefined) return <OpenPage />;
  if (underWay !== null && session !== null) return <SetupPage state={setup.data} />;
  if (session !== null) {
    return (
      <MustFirst>
        <Shell />
      </MustFirst>
    );
  }
  if (setup.data?.isFinished === false) return <SetupPage state={setup.data} />;
  if (setup.data !== undefined) return <LoginPage />;
  if (setup.error === null) return <Loading />;
  return (
    <main className="login-page">
      <ErrorPanel error={setup.error} onRetry={() => void setup.refetch()} />
    </main>
  );
}

// The address after # never reaches the server: every page is the one file that it serves.
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
