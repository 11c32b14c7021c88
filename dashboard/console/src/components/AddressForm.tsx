/** The address at which agents and people reach the control plane, tried out before it is kept. */
import { Alert, Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { isAddress } from "@console/lib/address";

const PATH = "/configuration/server-access-name";

interface AddressFormProps {
  initial: string;
  submit: string;
  onSaved: () => void;
  /** Beside the buttons. */
  others?: ReactNode;
}

export function AddressForm({ initial, submit, onSaved, others }: AddressFormProps): ReactElement {
  const { t } = useTranslation();
  const [text, setText] = useState(initial);
  const isUsable = isAddress(text);
  const body = { url: text.trim() };
  const test = useChange(() => call("post", `${PATH}/test`, { body }), []);
  const save = useChange(() => call("put", PATH, { body }), ["/configuration"]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isUsable) save.mutate(undefined, { onSuccess: onSaved });
  };
  const change = (next: string) => {
    test.reset();
    setText(next);
  };
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        <TextInput
          label={t("access.label")}
          description={t("access.help")}
          placeholder="https://control.example.com:8082"
          required
          autoComplete="off"
          value={text}
          error={text !== "" && !isUsable ? t("access.faulty") : undefined}
          onChange={(event) => change(event.currentTarget.value)}
        />
        {test.isSuccess && (
          <Alert color="teal" role="status">
            {t("access.reached")}
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
            {t("access.test")}
          </Button>
          <Button type="submit" disabled={!isUsable} loading={save.isPending}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
