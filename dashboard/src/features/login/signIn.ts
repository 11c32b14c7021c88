import { useEffect, useRef, useState } from "react";

import { call } from "@/api/client";
import { setSession, type Session } from "@/api/session";

interface LoginReply {
  token: string;
  version?: string;
  role?: string;
  username?: string;
  password_change_required?: boolean;
}

function sessionOf(reply: LoginReply, username: string): Session {
  return {
    token: reply.token,
    username: reply.username ?? username,
    role: reply.role ?? "viewer",
    version: reply.version ?? "",
    // Where the reply does not say, the first refused request does.
    mustChangePassword: reply.password_change_required === true,
  };
}

export async function signIn(username: string, password: string): Promise<Session> {
  const reply = await call<LoginReply>("post", "/login", { body: { username, password } });
  return sessionOf(reply, username);
}

/** Signs in with the one-time code of the address (`/?sso_code=…`), and takes it out of there. */
export function useSignInCode(onError: (error: unknown) => void): { isBusy: boolean } {
  const [isBusy, setBusy] = useState(false);
  const isUsed = useRef(false);
  useEffect(() => {
    const address = new URL(window.location.href);
    const code = address.searchParams.get("sso_code");
    // A code works once, an effect of a strict page runs twice.
    if (code === null || isUsed.current) return;
    isUsed.current = true;
    address.searchParams.delete("sso_code");
    window.history.replaceState(null, "", address);
    setBusy(true);
    call<LoginReply>("post", "/login", { body: { sso_code: code } })
      .then((reply) => setSession({ ...sessionOf(reply, ""), isByCode: true }))
      .catch((error: unknown) => {
        onError(error);
        setBusy(false);
      });
  }, [onError]);
  return { isBusy };
}
