/** Where the link for a forgotten password leads to. */
import { Alert, Anchor, Button, Stack, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { LoginFrame } from "@/components/LoginFrame";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { setSession } from "@console/api/session";
import { NewPassword } from "@console/components/NewPassword";
import { isGood } from "@console/lib/password";

const PATH = "/password-reset";

export function ResetPage(): ReactElement {
  const { t } = useTranslation("links");
  const [params] = useSearchParams();
  const token = params.get("token") ?? "";
  const [secret, setSecret] = useState({ password: "", again: "" });
  const isReady = isGood(secret.password) && secret.again === secret.password;
  const answer = useQuery({
    queryKey: [PATH, token],
    queryFn: () => call<{ email: string }>("post", `${PATH}/look`, { body: { token } }),
  });
  const set = useChange(async () => {
    const body = { token, password: secret.password };
    await call("post", `${PATH}/finish`, { body });
    setSession(null);
  }, []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) set.mutate(undefined);
  };
  const isOver = set.isSuccess || answer.error !== null;
  return (
    <LoginFrame title={t("reset.title")} isWide>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} />
      {set.isSuccess && (
        <Alert color="teal" role="status">
          {t("reset.done")}
        </Alert>
      )}
      {answer.data !== undefined && !set.isSuccess && (
        <form onSubmit={send}>
          <Stack gap="md">
            <TextInput
              label={t("email")}
              autoComplete="username"
              readOnly
              value={answer.data.email}
            />
            <NewPassword label={t("reset.next")} value={secret} onChange={setSecret} />
            <ErrorPanel error={set.error} />
            <Button type="submit" disabled={!isReady} loading={set.isPending} fullWidth>
              {t("reset.submit")}
            </Button>
          </Stack>
        </form>
      )}
      {isOver && (
        <Anchor component={Link} to="/" replace>
          {t("toSignIn")}
        </Anchor>
      )}
    </LoginFrame>
  );
}
