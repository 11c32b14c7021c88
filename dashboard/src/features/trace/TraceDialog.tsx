import { NumberInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { FormDialog } from "@/components/FormDialog";

const TYPES = ["clientid", "topic", "ip_address"] as const;
const ENCODINGS = ["text", "hex", "hidden"] as const;
const FORMATS = ["text", "json"] as const;
const MINUTE_MS = 60_000;
const DEFAULT_MINUTES = 10;

interface TraceDialogProps {
  type: string;
  value: string;
  onClose: () => void;
}

/** A name that a file may have. */
function nameFor(value: string): string {
  const plain = value.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 40);
  return `trace_${plain || "1"}`;
}

export function TraceDialog(props: TraceDialogProps): ReactElement {
  const { t } = useTranslation("trace");
  const [type, setType] = useState(props.type);
  const [value, setValue] = useState(props.value);
  const [name, setName] = useState(props.value === "" ? "" : nameFor(props.value));
  const [minutes, setMinutes] = useState<number | string>(DEFAULT_MINUTES);
  const [encoding, setEncoding] = useState<string>("text");
  const [format, setFormat] = useState<string>("text");
  const send = () =>
    call("post", "/trace", {
      body: {
        name: name || nameFor(value),
        type,
        [type]: value,
        end_at: new Date(Date.now() + Number(minutes) * MINUTE_MS).toISOString(),
        payload_encode: encoding,
        formatter: format,
      },
    });
  const choice = (words: readonly string[], group: string) =>
    words.map((word) => ({ value: word, label: t(`${group}.${word}`) }));
  return (
    <FormDialog
      title={t("start")}
      submit={t("start")}
      done={t("started")}
      refresh={["/trace"]}
      onSubmit={send}
      onClose={props.onClose}
    >
      <Select
        label={t("field.type")}
        data={choice(TYPES, "type")}
        value={type}
        allowDeselect={false}
        onChange={(next) => setType(next ?? "clientid")}
      />
      <TextInput
        label={t(`type.${type}`)}
        description={t(`example.${type}`)}
        required
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
      <TextInput
        label={t("field.name")}
        description={t("nameHelp")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <NumberInput
        label={t("minutes")}
        min={1}
        allowDecimal={false}
        value={minutes}
        onChange={setMinutes}
      />
      <Select
        label={t("payload")}
        data={choice(ENCODINGS, "encoding")}
        value={encoding}
        allowDeselect={false}
        onChange={(next) => setEncoding(next ?? "text")}
      />
      <Select
        label={t("format")}
        data={choice(FORMATS, "formatter")}
        value={format}
        allowDeselect={false}
        onChange={(next) => setFormat(next ?? "text")}
      />
    </FormDialog>
  );
}
