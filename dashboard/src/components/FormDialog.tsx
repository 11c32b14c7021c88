/** A form in a dialog. It stays open, with the node's answer in it, until the node agrees. */
import { Button, Group, Stack } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useChange } from "@/lib/query";

import { Dialog } from "./Dialog";
import { ErrorPanel } from "./ErrorPanel";
import { FieldErrors } from "./fieldErrors";
import { useToasts } from "./toasts";

interface FormDialogProps {
  title: string;
  submit: string;
  /** What is said when it is done; nothing when the caller shows it. */
  done?: string;
  refresh: readonly string[];
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
  size?: string;
  children: ReactNode;
}

export function FormDialog(props: FormDialogProps): ReactElement {
  const { t } = useTranslation();
  const toasts = useToasts();
  const [error, setError] = useState<unknown>(null);
  const change = useChange(props.onSubmit, props.refresh);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setError(null);
    try {
      await change.mutateAsync();
    } catch (refusal) {
      setError(refusal);
      return;
    }
    if (props.done !== undefined) toasts.done(props.done);
    props.onClose();
  };
  return (
    <Dialog
      onClose={props.onClose}
      title={props.title}
      {...(props.size !== undefined && { size: props.size })}
    >
      <form onSubmit={(event) => void send(event)}>
        <Stack gap="sm">
          <FieldErrors error={error}>{props.children}</FieldErrors>
          <ErrorPanel error={error} />
          <Group justify="flex-end" mt="xs">
            <Button variant="default" onClick={props.onClose}>
              {t("cancel")}
            </Button>
            <Button type="submit" loading={change.isPending}>
              {props.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
