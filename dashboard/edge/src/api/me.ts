/** Who is signed in, and what that one may; the edge service decides, this only hides what it would refuse. */
import { useGet } from "./hooks";

export function useMe() {
  const { data } = useGet("/me");
  return { name: data?.name, role: data?.role, isAdmin: data?.role === "administrator" };
}
