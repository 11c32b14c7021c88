/** Where a provider sends a browser back to: signs in with what came along. */
import { Anchor, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { LoginFrame } from "@/components/LoginFrame";
import { queryClient } from "@/lib/query";
import { call } from "@console/api/client";
import { takeBinding } from "@console/api/binding";
import { setSession, type Session } from "@console/api/session";

// Of one page load: effects of a component may run twice, what came along is of use once.
let finishing: Promise<Session> | null = null;

function finish(params: URLSearchParams): Promise<Session> {
  finishing ??= (async () => {
    const body = {
      // A tab that began nothing shows something that fits nothing, and is told so.
      binding: takeBinding() ?? "x".repeat(43),
      state: params.get("state"),
      code: params.get("code"),
      iss: params.get("iss"),
    };
    const { accessToken, refreshToken } = await call<Session>("post", "/oidc/finish", { body });
    return { accessToken, refreshToken };
  })().finally(() => {
    finishing = null;
  });
  return finishing;
}

export function OidcPage(): ReactElement {
  const { t } = useTranslation("login");
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const refused = params.get("error");
  useEffect(() => {
    if (refused !== null) return;
    finish(params)
      .then((session) => {
        queryClient.clear();
        setSession(session);
        void navigate("/", { replace: true });
      })
      .catch(setError);
  }, [params, refused, navigate]);
  return (
    <LoginFrame title={t("title")}>
      {refused === null && error === null && <Loading />}
      {refused !== null && (
        <Text size="sm">
          {t("elsewhere.refused", { reason: params.get("error_description") ?? refused })}
        </Text>
      )}
      <ErrorPanel error={error} />
      {(refused !== null || error !== null) && (
        <Anchor component={Link} to="/" replace>
          {t("forgot.back")}
        </Anchor>
      )}
    </LoginFrame>
  );
}
