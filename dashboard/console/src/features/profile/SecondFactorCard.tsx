/** One's own second factor: set up with a picture, shown to work with a code, taken away by the password. */
import { Badge, Button, Card, Code, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { formatTime } from "@/lib/format";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { FactorEnrolment, RecoveryCodes } from "@console/api/shapes";
import { SecretDialog } from "@console/components/SecretDialog";

import { QrCode } from "./QrCode";

const PATH = "/profile/second-factor";

export function SecondFactorCard(): ReactElement {
  const { t } = useTranslation("profile");
  const answer = useGet(PATH);
  const [enrolment, setEnrolment] = useState<FactorEnrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const client = useQueryClient();
  const held = answer.data;
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {t("factor.title")}
          </Title>
          {held?.isOn === true && (
            <Badge color="teal" variant="light" tt="none" miw="max-content">
              {t("factor.on")}
            </Badge>
          )}
        </Group>
        {answer.isPending && <Loading />}
        <ErrorPanel error={answer.error} />
        {held?.isOn === true && (
          <>
            <Text size="sm">
              {t("factor.since", {
                since: formatTime(held.since ?? ""),
                left: held.recoveryCodes,
              })}
            </Text>
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setAsked("recovery-codes")}>
                {t("factor.renew")}
              </Button>
              <Button variant="default" color="red" onClick={() => setAsked("disable")}>
                {t("factor.disable")}
              </Button>
            </Group>
          </>
        )}
        {held?.isOn === false && enrolment === null && (
          <>
            <Text size="sm">{t("factor.help")}</Text>
            <Group justify="flex-end">
              <Button onClick={() => setAsked("begin")}>{t("factor.begin")}</Button>
            </Group>
          </>
        )}
        {enrolment !== null && (
          <ConfirmForm
            enrolment={enrolment}
            onDone={(made) => {
              setCodes(made);
              setEnrolment(null);
            }}
          />
        )}
      </Stack>
      {asked !== null && (
        <PasswordAgain
          asked={asked}
          onBegun={setEnrolment}
          onCodes={(made) => setCodes(made)}
          onClose={() => setAsked(null)}
        />
      )}
      {codes !== null && (
        <SecretDialog
          title={t("factor.codes")}
          text={t("factor.codesHelp")}
          secret={codes.join("\n")}
          onClose={() => {
            setCodes(null);
            // Whoever had to set it up goes on when the codes are kept.
            void client.invalidateQueries();
          }}
        />
      )}
    </Card>
  );
}

interface ConfirmFormProps {
  enrolment: FactorEnrolment;
  onDone: (codes: string[]) => void;
}

function ConfirmForm({ enrolment, onDone }: ConfirmFormProps): ReactElement {
  const { t } = useTranslation("profile");
  const [code, setCode] = useState("");
  const confirm = useChange(
    () => call<RecoveryCodes>("post", `${PATH}/confirm`, { body: { code } }),
    [PATH, "/profile/sessions"],
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(undefined, { onSuccess: ({ recoveryCodes }) => onDone(recoveryCodes) });
  };
  return (
    <form onSubmit={send}>
      <Stack gap="sm">
        <Text size="sm">{t("factor.scan")}</Text>
        <QrCode rows={enrolment.picture} label={t("factor.picture")} />
        <Text size="sm">
          {t("factor.typed")} <Code className="wrap">{enrolment.secret}</Code>
        </Text>
        <TextInput
          label={t("factor.code")}
          autoComplete="one-time-code"
          inputMode="numeric"
          required
          maxLength={16}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <ErrorPanel error={confirm.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={confirm.isPending}>
            {t("factor.confirm")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What is done by who says the password again. */
type Asked = "begin" | "disable" | "recovery-codes";

const TITLES = {
  begin: "factor.begin",
  disable: "factor.disable",
  "recovery-codes": "factor.renew",
} as const;

interface PasswordAgainProps {
  asked: Asked;
  onBegun: (enrolment: FactorEnrolment) => void;
  onCodes: (codes: string[]) => void;
  onClose: () => void;
}

function PasswordAgain({ asked, onBegun, onCodes, onClose }: PasswordAgainProps): ReactElement {
  const { t } = useTranslation("profile");
  const [password, setPassword] = useState("");
  const body = { password };
  const send = async () => {
    if (asked === "begin") {
      onBegun(await call<FactorEnrolment>("post", PATH, { body }));
      return;
    }
    const made = await call<RecoveryCodes | undefined>("post", `${PATH}/${asked}`, { body });
    if (asked === "recovery-codes" && made !== undefined) onCodes(made.recoveryCodes);
  };
  const title = t(TITLES[asked]);
  return (
    <FormDialog
      title={title}
      submit={title}
      {...(asked === "disable" && { done: t("saved") })}
      refresh={[PATH, "/profile"]}
      onSubmit={send}
      onClose={onClose}
    >
      <PasswordField label={t("password.old")} value={password} onChange={setPassword} />
    </FormDialog>
  );
}
