/** Who is signed in, and what that one may; the edge service decides, this only hides what it would refuse. */
import { useGet } from "./hooks";

const SESSION = "/session";

export function useMe() {
  const { data } = useGet("/me");
  const isHere = data?.via !== "control";
  return { name: data?.name, role: data?.role, isAdmin: data?.role === "administrator", isHere };
}

/** Whether these pages are shown through a control plane, where the caller has signed in. */
export function useSession(isAsked: boolean) {
  const { data, isPending } = useGet(SESSION, { enabled: isAsked });
  return { isPending: isAsked && isPending, isFromControl: data?.via === "control" };
}
