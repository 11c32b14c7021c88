import { Button, Group, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { put, type Tree } from "@/lib/changes";

/** What holds where nothing is said. */
const DEFAULTS = { qos: "${qos}", retain: "${retain}", payload: "${payload}" } as const;
const USER_PROPERTIES = "${pub_props.'User-Property'}";

interface RepublishDialogProps {
  args: Tree | null;
  onDone: (args: Tree) => void;
  onClose: () => void;
}

/** The message that is published for each row. */
export function RepublishDialog({ args, onDone, onClose }: RepublishDialogProps): ReactElement {
  const { t } = useTranslation("rules");
  const [draft, setDraft] = useState<Tree>(args ?? { topic: "", ...DEFAULTS });
  const text = (name: string) => ({
    label: t(`republish.${name}`),
    value: String(draft[name] ?? ""),
    onChange: (event: { currentTarget: { value: string } }) =>
      setDraft(put(draft, name, event.currentTarget.value)),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    onDone(Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== "")));
    onClose();
  };
  return (
    <Dialog title={t("republish.title")} size="lg" onClose={onClose}>
      <form onSubmit={send}>
        <Stack gap="sm">
          <TextInput {...text("topic")} description={t("republish.topicHelp")} required />
          <div className="form-grid">
            <TextInput {...text("qos")} placeholder={DEFAULTS.qos} />
            <TextInput {...text("retain")} placeholder={DEFAULTS.retain} />
          </div>
          <Textarea
            {...text("payload")}
            description={t("republish.payloadHelp")}
            placeholder={DEFAULTS.payload}
            autosize
            minRows={4}
            maxRows={14}
            className="mono-input"
          />
          <TextInput {...text("user_properties")} placeholder={USER_PROPERTIES} />
          <Switch
            label={t("republish.direct_dispatch")}
            description={t("republish.directHelp")}
            checked={draft["direct_dispatch"] === true}
            onChange={(event) => {
              const isDirect = event.currentTarget.checked;
              setDraft(put(draft, "direct_dispatch", isDirect || undefined));
            }}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("cancel")}
            </Button>
            <Button type="submit">{t(args === null ? "republish.add" : "republish.keep")}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
