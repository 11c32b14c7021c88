import { Suspense } from "react";
import type { ReactElement } from "react";
import { createHashRouter, RouterProvider } from "react-router";

import { AppFrame } from "@/components/AppFrame";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { PageFailure } from "@/components/PageFailure";
import { useGet } from "@edge/api/hooks";
import { useSession } from "@edge/api/me";
import { useToken } from "@edge/api/session";
import { ChoosePassword, LoginPage } from "@edge/features/login";

import { NotHere } from "./NotHere";
import { PAGES } from "./pages";
import { Shell } from "./Shell";

/**
 * Without a session there is only the way to one; with a password of somebody else only that to another.
 * Who comes through a control plane has signed in there.
 */
function Gate(): ReactElement {
  const token = useToken();
  const { isPending, isFromControl } = useSession(token === null);
  if (token !== null) return <SignedIn />;
  if (isPending) return <Loading />;
  return isFromControl ? <Shell /> : <LoginPage />;
}

function SignedIn(): ReactElement {
  const me = useGet("/me");
  if (me.error !== null) {
    return (
      <main className="login-page">
        <ErrorPanel error={me.error} onRetry={() => void me.refetch()} />
      </main>
    );
  }
  if (me.data === undefined) return <Loading />;
  return me.data.must_change_password ? <ChoosePassword /> : <Shell />;
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
