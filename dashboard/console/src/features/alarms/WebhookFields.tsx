/** What is called: one of the services that we know, or any address with a body of one's own. */
import { Button, Group, NativeSelect, PasswordInput, Stack, Textarea, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@console/api/hooks";
import type { AlarmChannel } from "@console/api/shapes";
import { usePlace } from "@console/components/place";

import { TEMPLATE } from "./paths";

type Held = AlarmChannel["webhook"];
type Kind = NonNullable<Held>["kind"];

export const KINDS: readonly Kind[] = ["json", "dingtalk", "feishu", "wecom", "slack"];
/** Those that check a signature of their own; the others have their key in the address. */
const SIGNED: readonly Kind[] = ["json", "dingtalk", "feishu"];

interface Header {
  name: string;
  /** Empty: the one that is kept. */
  value: string;
  isKept: boolean;
}

export interface WebhookDraft {
  kind: Kind | "";
  /** Empty: the one that is kept. */
  url: string;
  host: string;
  headers: Header[];
  /** Empty: the one that is kept. */
  secret: string;
  isSigned: boolean;
  template: string;
}

export function draftOfWebhook(held: Held): WebhookDraft {
  return {
    kind: held?.kind ?? "",
    url: "",
    host: held?.host ?? "",
    headers: (held?.headerNames ?? []).map((name) => ({ name, value: "", isKept: true })),
    secret: "",
    isSigned: held?.isSigned ?? false,
    template: held?.template ?? "",
  };
}

export function bodyOfWebhook(draft: WebhookDraft): object | null {
  const { kind, url, headers, secret, isSigned, template } = draft;
  if (kind === "") return null;
  const kept = isSigned ? {} : { secret: "" };
  return {
    kind,
    ...(url !== "" && { url }),
    headers: headers.map(({ name, value, isKept }) =>
      isKept && value === "" ? { name } : { name, value },
    ),
    ...(secret === "" ? kept : { secret }),
    template,
  };
}

interface WebhookFieldsProps {
  value: WebhookDraft;
  onChange: (value: WebhookDraft) => void;
}

export function WebhookFields({ value, onChange }: WebhookFieldsProps): ReactElement {
  const { t } = useTranslation("alarms");
  const { kind } = value;
  return (
    <Stack gap="sm">
      <NativeSelect
        label={t("media.webhook")}
        data={[
          { value: "", label: t("webhook.none") },
          ...KINDS.map((each) => ({ value: each, label: t(`webhook.kinds.${each}`) })),
        ]}
        value={kind}
        onChange={(event) => onChange({ ...value, kind: event.currentTarget.value as Kind | "" })}
      />
      {kind !== "" && (
        <TextInput
          label={t("webhook.url")}
          description={t("webhook.urlHelp")}
          placeholder={value.host === "" ? "https://" : t("webhook.urlKept", { host: value.host })}
          required={value.host === ""}
          value={value.url}
          onChange={(event) => onChange({ ...value, url: event.currentTarget.value })}
        />
      )}
      {kind !== "" && SIGNED.includes(kind) && (
        <PasswordInput
          label={t("webhook.secret")}
          description={t(`webhook.secretHelp.${kind}`)}
          {...(value.isSigned && { placeholder: t("kept") })}
          autoComplete="new-password"
          value={value.secret}
          onChange={(event) => onChange({ ...value, secret: event.currentTarget.value })}
        />
      )}
      {kind === "json" && <Headers value={value} onChange={onChange} />}
      {kind === "json" && <Template value={value} onChange={onChange} />}
    </Stack>
  );
}

function Headers({ value, onChange }: WebhookFieldsProps): ReactElement {
  const { t } = useTranslation("alarms");
  const put = (index: number, header: Header) =>
    onChange({ ...value, headers: value.headers.map((each, at) => (at === index ? header : each)) });
  const drop = (index: number) =>
    onChange({ ...value, headers: value.headers.filter((_, at) => at !== index) });
  return (
    <Stack gap="xs">
      {value.headers.map((header, index) => (
        // Rows have nothing else to be told apart by.
        <Group key={index} gap="xs" align="flex-end" wrap="nowrap">
          <TextInput
            label={t("webhook.headerName")}
            required
            value={header.name}
            onChange={(event) =>
              put(index, { ...header, name: event.currentTarget.value, isKept: false })
            }
          />
          <PasswordInput
            label={t("webhook.headerValue")}
            className="grow"
            {...(header.isKept ? { placeholder: t("kept") } : { required: true })}
            autoComplete="off"
            value={header.value}
            onChange={(event) => put(index, { ...header, value: event.currentTarget.value })}
          />
          <Button variant="default" onClick={() => drop(index)}>
            {t("delete")}
          </Button>
        </Group>
      ))}
      <Group>
        <Button
          variant="default"
          size="xs"
          onClick={() =>
            onChange({ ...value, headers: [...value.headers, { name: "", value: "", isKept: false }] })
          }
        >
          {t("webhook.addHeader")}
        </Button>
      </Group>
    </Stack>
  );
}

function Template({ value, onChange }: WebhookFieldsProps): ReactElement {
  const { t } = useTranslation("alarms");
  const { data } = useGet(TEMPLATE, { path: { ...usePlace() } });
  const variables = (data?.variables ?? []).map((name) => `\${${name}}`).join(" ");
  return (
    <>
      <Textarea
        label={t("webhook.template")}
        description={t("webhook.templateHelp", { variables })}
        placeholder={data?.template ?? ""}
        autosize
        minRows={4}
        maxRows={16}
        styles={{ input: { fontFamily: "monospace" } }}
        value={value.template}
        onChange={(event) => onChange({ ...value, template: event.currentTarget.value })}
      />
      {value.template === "" && data !== undefined && (
        <Group>
          <Button
            variant="default"
            size="xs"
            onClick={() => onChange({ ...value, template: data.template })}
          >
            {t("webhook.fromUsual")}
          </Button>
        </Group>
      )}
    </>
  );
}
