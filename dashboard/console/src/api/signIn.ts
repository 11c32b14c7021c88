import { call } from "./client";
import type { Session } from "./session";

/** Tokens for somebody who knows the password; the caller decides when they hold. */
export async function signIn(
  email: string,
  password: string,
  code: string | null = null,
): Promise<Session> {
  const body = { email, password, code };
  const { accessToken, refreshToken } = await call<Session>("post", "/login", { body });
  return { accessToken, refreshToken };
}
