/** The OpenID provider at which people may sign in. */
import { Alert, Button, Card, Code, Group, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useAct } from "@/components/useAct";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { OidcProvider } from "@console/api/shapes";

const PATH = "/configuration/oidc";

export function OidcCard(): ReactElement {
  const { t } = useTranslation("settings");
  const answer = useGet(PATH);
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("oidc.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t("oidc.help")}
      </Text>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && (
        <OidcForm key={String(answer.data.isSet)} held={answer.data} />
      )}
    </Card>
  );
}

function OidcForm({ held }: { held: OidcProvider }): ReactElement {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const [draft, setDraft] = useState({
    name: held.name,
    issuer: held.issuer,
    clientId: held.clientId,
    scopes: held.scopes,
    caCertificate: held.caCertificate,
  });
  const [domains, setDomains] = useState(held.domains.join(" "));
  const [secret, setSecret] = useState("");
  const body = {
    ...draft,
    domains: domains.toLowerCase().split(/[\s,;]+/).filter((each) => each !== ""),
    clientSecret: secret === "" && held.isSecretSet ? null : secret,
  };
  const test = useChange(() => call("post", `${PATH}/test`, { body }), []);
  const save = useChange(() => call("put", PATH, { body }), [PATH, "/sign-in"]);
  const remove = useAct({
    run: () => call("delete", PATH),
    refresh: [PATH, "/sign-in"],
    done: t("saved"),
    ask: () => ({ title: t("oidc.remove"), text: t("oidc.removeText"), action: t("delete") }),
  });
  const field = (name: keyof typeof draft, isRequired = true) => (
    <TextInput
      key={name}
      label={t(`oidc.${name}`)}
      required={isRequired}
      autoComplete="off"
      value={draft[name]}
      onChange={(event) => {
        test.reset();
        setDraft({ ...draft, [name]: event.currentTarget.value });
      }}
    />
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: () => toasts.done(t("saved")) });
  };
  const isUsable = draft.name !== "" && draft.issuer !== "" && draft.clientId !== "";
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <Text size="sm">
          {t("oidc.redirect")} <Code className="wrap">{held.redirectUri}</Code>
        </Text>
        <div className="form-grid">
          {field("name")}
          {field("issuer")}
          {field("clientId")}
          <PasswordField
            label={t("oidc.clientSecret")}
            description={held.isSecretSet ? t("mail.passwordKept") : undefined}
            isNew
            isRequired={false}
            value={secret}
            onChange={setSecret}
          />
          {field("scopes")}
          <TextInput
            label={t("oidc.domains")}
            description={t("oidc.domainsHelp")}
            autoComplete="off"
            value={domains}
            onChange={(event) => setDomains(event.currentTarget.value)}
          />
          <Textarea
            label={t("mail.authority")}
            description={t("mail.authorityHelp")}
            autosize
            minRows={1}
            maxRows={6}
            value={draft.caCertificate}
            onChange={(event) => setDraft({ ...draft, caCertificate: event.currentTarget.value })}
          />
        </div>
        {test.isSuccess && (
          <Alert color="teal" role="status">
            {t("oidc.works")}
          </Alert>
        )}
        <ErrorPanel error={test.error ?? save.error} />
        <Group justify="flex-end">
          {held.isSet && (
            <Button variant="subtle" color="red" onClick={() => void remove.act()}>
              {t("oidc.remove")}
            </Button>
          )}
          <Button
            variant="default"
            disabled={!isUsable}
            loading={test.isPending}
            onClick={() => test.mutate()}
          >
            {t("oidc.test")}
          </Button>
          <Button type="submit" disabled={!isUsable} loading={save.isPending}>
            {t("save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
