import { useNavigate } from "react-router";

/** Goes to another page of the console. */
export function useGoTo(): (path: string) => void {
  const navigate = useNavigate();
  return (path) => void navigate(path);
}
