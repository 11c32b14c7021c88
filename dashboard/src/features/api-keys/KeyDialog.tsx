import { Switch, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { ApiKey } from "@/api/shapes";
import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { formatDay } from "@/lib/format";

const ROLES = ["administrator", "viewer", "publisher"] as const;

interface KeyDialogProps {
  /** Null makes a new one. */
  apiKey: ApiKey | null;
  onClose: () => void;
  onMade: (made: ApiKey) => void;
}

/** The last second of a day in the browser's zone. */
function endOf(day: string): string {
  return day === "" ? "infinity" : new Date(`${day}T23:59:59`).toISOString();
}

export function KeyDialog({ apiKey, onClose, onMade }: KeyDialogProps): ReactElement {
  const { t } = useTranslation("apiKeys");
  const [name, setName] = useState(apiKey?.name ?? "");
  const [role, setRole] = useState(apiKey?.role ?? "viewer");
  const [enable, setEnable] = useState(apiKey?.enable ?? true);
  const [desc, setDesc] = useState(apiKey?.desc ?? "");
  const isTimed = apiKey?.expired_at !== undefined && apiKey.expired_at !== "infinity";
  const [day, setDay] = useState(isTimed ? formatDay(apiKey.expired_at) : "");
  const made = useRef<ApiKey | null>(null);
  const send = async () => {
    const body = { enable, desc, role, expired_at: endOf(day) };
    if (apiKey !== null) return call("put", "/api_key/{name}", { path: { name }, body });
    made.current = await call<ApiKey>("post", "/api_key", { body: { name, ...body } });
    return made.current;
  };
  const close = () => {
    onClose();
    // One dialog after the other, not one over the other.
    if (made.current !== null) onMade(made.current);
  };
  return (
    <FormDialog
      title={apiKey === null ? t("add") : t("editOne", { name: apiKey.name })}
      submit={apiKey === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/api_key"]}
      onSubmit={send}
      onClose={close}
    >
      {apiKey === null && (
        <TextInput
          label={t("field.name")}
          description={t("nameHelp")}
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <RoleSelect roles={ROLES} value={role} onChange={setRole} />
      <TextInput
        type="date"
        label={t("expires")}
        description={t("expiresHelp")}
        value={day}
        onChange={(event) => setDay(event.currentTarget.value)}
      />
      <TextInput
        label={t("field.description")}
        value={desc}
        onChange={(event) => setDesc(event.currentTarget.value)}
      />
      <Switch
        label={t("field.enabled")}
        checked={enable}
        onChange={(event) => setEnable(event.currentTarget.checked)}
      />
    </FormDialog>
  );
}
