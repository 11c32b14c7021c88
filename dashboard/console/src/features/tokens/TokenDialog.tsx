import { NativeSelect, Select, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { formatDay } from "@/lib/format";
import { call } from "@console/api/client";
import { usePlaces } from "@console/components/place";
import { choicesOf } from "@console/components/PlaceSwitcher";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
const DAYS_MAX = 365;

interface TokenDialogProps {
  onClose: () => void;
  onMade: (token: string) => void;
}

function dayIn(days: number): string {
  return formatDay(new Date(Date.now() + days * DAY_MS).toISOString());
}

export function TokenDialog({ onClose, onMade }: TokenDialogProps): ReactElement {
  const { t } = useTranslation("tokens");
  const { projects = [] } = usePlaces();
  const [name, setName] = useState("");
  const [access, setAccess] = useState("read");
  const [project, setProject] = useState<string | null>(null);
  const [day, setDay] = useState(() => dayIn(DEFAULT_DAYS));
  const made = useRef<string | null>(null);
  const send = async () => {
    const found = projects.find(({ id }) => id === project);
    const scope = found === undefined ? {} : { orgId: found.orgId, projectId: found.id };
    const expiresAt = new Date(`${day}T00:00:00`).toISOString();
    const body = { name, access, expiresAt, ...scope };
    made.current = (await call<{ token: string }>("post", "/tokens", { body })).token;
  };
  const close = () => {
    onClose();
    // One dialog after the other, not one over the other.
    if (made.current !== null) onMade(made.current);
  };
  return (
    <FormDialog
      title={t("add")}
      submit={t("create")}
      refresh={["/tokens"]}
      onSubmit={send}
      onClose={close}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={64}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <NativeSelect
        label={t("access")}
        data={["read", "write"].map((value) => ({ value, label: t(`accesses.${value}`) }))}
        value={access}
        onChange={(event) => setAccess(event.currentTarget.value)}
      />
      <Select
        label={t("scope")}
        placeholder={t("everything")}
        clearable
        clearButtonProps={{ "aria-label": t("clear") }}
        searchable
        data={choicesOf(projects)}
        value={project}
        onChange={setProject}
      />
      <TextInput
        type="date"
        label={t("expires")}
        description={t("expiresHelp")}
        required
        min={dayIn(1)}
        max={dayIn(DAYS_MAX)}
        value={day}
        onChange={(event) => setDay(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
