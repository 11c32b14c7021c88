/** The address at which agents and people reach the control plane, tried out before it is kept. */
import { Alert, Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { partsOf } from "@console/lib/address";

const PATH = "/configuration/server-access-name";

interface Tried {
  isReachable: boolean;
  text?: string;
}

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
  const parts = partsOf(text);
  const test = useChange(() => call<Tried>("post", `${PATH}/test`, { body: parts }), []);
  const save = useChange(() => call("put", PATH, { body: parts }), ["/configuration"]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (parts !== null) save.mutate(undefined, { onSuccess: onSaved });
  };
  const change = (next: string) => {
    test.reset();
    setText(next);
  };
  const isFaulty = text !== "" && parts === null;
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
          error={isFaulty ? t("access.faulty") : undefined}
          onChange={(event) => change(event.currentTarget.value)}
        />
        {test.data !== undefined && (
          <Alert
            color={test.data.isReachable ? "teal" : "orange"}
            title={t(test.data.isReachable ? "access.reached" : "access.notReached")}
            role="status"
          >
            {test.data.text}
          </Alert>
        )}
        <ErrorPanel error={test.error ?? save.error} />
        <Group justify="flex-end">
          {others}
          <Button
            variant="default"
            disabled={parts === null}
            loading={test.isPending}
            onClick={() => test.mutate()}
          >
            {t("access.test")}
          </Button>
          <Button type="submit" disabled={parts === null} loading={save.isPending}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
