/** Where the link of an invitation leads to: a name and a password make a user. */
import { Anchor, Button, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { LoginFrame } from "@/components/LoginFrame";
import { queryClient, useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { setSession } from "@console/api/session";
import type { InvitationOpened } from "@console/api/shapes";
import { signIn } from "@console/api/signIn";
import { NewPassword } from "@console/components/NewPassword";
import { isGood } from "@console/lib/password";

const PATH = "/invitation";

export function InvitationPage(): ReactElement {
  const { t } = useTranslation("links");
  const [params] = useSearchParams();
  const token = params.get("token") ?? "";
  const answer = useQuery({
    queryKey: [PATH, token],
    queryFn: () => call<InvitationOpened>("post", PATH, { body: { token } }),
  });
  return (
    <LoginFrame title={t("invitation.title")} isWide>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} />
      {answer.error !== null && (
        <Anchor component={Link} to="/" replace>
          {t("toSignIn")}
        </Anchor>
      )}
      {answer.data !== undefined && <AcceptForm token={token} opened={answer.data} />}
    </LoginFrame>
  );
}

interface AcceptFormProps {
  token: string;
  opened: InvitationOpened;
}

function AcceptForm({ token, opened }: AcceptFormProps): ReactElement {
  const { t, i18n } = useTranslation("links");
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState({ password: "", again: "" });
  const isReady = isGood(secret.password) && secret.again === secret.password;
  const { password } = secret;
  const accept = useChange(async () => {
    const body = { token, name, password, language: i18n.language };
    await call("post", "/invitation/accept", { body });
    const session = await signIn(opened.email, password);
    // All but what this page shows: its link works no more, so it must not be asked again.
    queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== PATH });
    setSession(session);
    void navigate("/", { replace: true });
  }, []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) accept.mutate(undefined);
  };
  const place = [opened.orgName, opened.projectName].filter(Boolean).join(" / ");
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <Text size="sm" className="wrap">
          {place === ""
            ? t("invitation.text", { inviter: opened.inviter })
            : t("invitation.textPlace", { inviter: opened.inviter, place })}
        </Text>
        {opened.isKnown && <Text size="sm">{t("invitation.isKnown")}</Text>}
        <TextInput
          label={t("email")}
          autoComplete="username"
          readOnly
          value={opened.email}
        />
        <TextInput
          label={t("personName")}
          autoComplete="name"
          required
          maxLength={64}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NewPassword label={t("password.label")} value={secret} onChange={setSecret} />
        <ErrorPanel error={accept.error} />
        <Button type="submit" disabled={!isReady} loading={accept.isPending} fullWidth>
          {t("invitation.submit")}
        </Button>
      </Stack>
    </form>
  );
}
