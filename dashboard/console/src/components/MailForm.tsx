/** The mail server of the control plane, tried out with a message to whoever sets it. */
import {
  Alert,
  Button,
  Group,
  NativeSelect,
  NumberInput,
  Stack,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import type { MailServer } from "@console/api/shapes";

export const MAIL_PATH = "/configuration/mail";

type Security = MailServer["security"];

// What these providers document for programs.
const PROVIDERS: Record<string, readonly [string, number, Security]> = {
  "QQ Mail": ["smtp.qq.com", 465, "tls"],
  "163": ["smtp.163.com", 465, "tls"],
  Gmail: ["smtp.gmail.com", 587, "starttls"],
};
const PORTS: Record<Security, number> = { starttls: 587, tls: 465, none: 25 };

interface MailFormProps {
  held: MailServer;
  submit: string;
  onSaved: () => void;
  /** Beside the buttons. */
  others?: ReactNode;
}

export function MailForm({ held, submit, onSaved, others }: MailFormProps): ReactElement {
  const { t } = useTranslation();
  const [draft, setDraft] = useState({
    host: held.host,
    port: held.port,
    security: held.security,
    username: held.username,
    sender: held.sender,
    caCertificate: held.caCertificate,
  });
  const [password, setPassword] = useState("");
  const body = { ...draft, password: password === "" && held.isPasswordSet ? null : password };
  const test = useChange(() => call("post", `${MAIL_PATH}/test`, { body }), []);
  const save = useChange(() => call("put", MAIL_PATH, { body }), [MAIL_PATH, "/sign-in"]);
  const change = (next: Partial<typeof draft>) => {
    test.reset();
    setDraft({ ...draft, ...next });
  };
  const choose = (name: string) => {
    const [host, port, security] = PROVIDERS[name] ?? ["", 587, "starttls"];
    change({ host, port, security });
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: onSaved });
  };
  const provider = Object.keys(PROVIDERS).find((name) => PROVIDERS[name]?.[0] === draft.host);
  const isUsable = draft.host !== "" && draft.sender.includes("@");
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <div className="form-grid">
          <NativeSelect
            label={t("mail.provider")}
            data={[{ value: "", label: t("mail.other") }, ...Object.keys(PROVIDERS)]}
            value={provider ?? ""}
            onChange={(event) => choose(event.currentTarget.value)}
          />
          <NativeSelect
            label={t("mail.security")}
            data={(["starttls", "tls", "none"] as const).map((value) => ({
              value,
              label: t(`mail.securities.${value}`),
            }))}
            value={draft.security}
            onChange={(event) => {
              const security = event.currentTarget.value as Security;
              const isUsual = draft.port === PORTS[draft.security];
              change(isUsual ? { security, port: PORTS[security] } : { security });
            }}
          />
          <TextInput
            label={t("mail.host")}
            required
            autoComplete="off"
            value={draft.host}
            onChange={(event) => change({ host: event.currentTarget.value.trim() })}
          />
          <NumberInput
            label={t("mail.port")}
            required
            allowDecimal={false}
            min={1}
            max={65535}
            value={draft.port}
            onChange={(value) => change({ port: Number(value) })}
          />
          <TextInput
            label={t("mail.username")}
            autoComplete="off"
            value={draft.username}
            onChange={(event) => change({ username: event.currentTarget.value })}
          />
          <PasswordField
            label={t("mail.password")}
            description={held.isPasswordSet ? t("mail.passwordKept") : undefined}
            isNew
            isRequired={false}
            value={password}
            onChange={(next) => {
              test.reset();
              setPassword(next);
            }}
          />
          <TextInput
            label={t("mail.sender")}
            placeholder="Rookery <rookery@example.com>"
            required
            autoComplete="off"
            value={draft.sender}
            onChange={(event) => change({ sender: event.currentTarget.value })}
          />
          <Textarea
            label={t("mail.authority")}
            description={t("mail.authorityHelp")}
            autosize
            minRows={1}
            maxRows={6}
            value={draft.caCertificate}
            onChange={(event) => change({ caCertificate: event.currentTarget.value })}
          />
        </div>
        {draft.security === "none" && <Alert color="orange">{t("mail.plainWarning")}</Alert>}
        {test.isSuccess && (
          <Alert color="teal" role="status">
            {t("mail.sent")}
          </Alert>
        )}
        <ErrorPanel error={test.error ?? save.error} />
        <Group justify="flex-end">
          {others}
          <Button
            variant="default"
            disabled={!isUsable}
            loading={test.isPending}
            onClick={() => test.mutate()}
          >
            {t("mail.test")}
          </Button>
          <Button type="submit" disabled={!isUsable} loading={save.isPending}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
