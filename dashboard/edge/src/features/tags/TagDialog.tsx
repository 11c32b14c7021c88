import { Alert, Button, Checkbox, Group, NumberInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { formatAny } from "@/lib/format";
import { useChange } from "@/lib/query";
import { call } from "@edge/api/client";
import type { Tag } from "@edge/api/shapes";

import { ATTRIBUTES, STATIC, TYPES, typedValue } from "./kinds";

interface TagDialogProps {
  node: string;
  group: string;
  tag: Tag;
  isNew: boolean;
  onClose: () => void;
}

export function TagDialog({ node, group, tag, isNew, onClose }: TagDialogProps): ReactElement {
  const { t } = useTranslation("tags");
  const [held, setHeld] = useState<Tag>(tag);
  const [value, setValue] = useState(tag.value === undefined ? "" : formatAny(tag.value));
  const change = (part: Partial<Tag>) => setHeld((before) => ({ ...before, ...part }));
  const isStatic = (held.attribute & STATIC) !== 0;
  const { value: _value, ...plain } = held;
  const sent = isStatic ? { ...held, value: typedValue(value, held.type) } : plain;
  return (
    <FormDialog
      title={isNew ? t("addTag") : t("editOne", { name: tag.name })}
      submit={isNew ? t("create") : t("save")}
      done={t("saved")}
      size="lg"
      refresh={["/neuron/"]}
      onSubmit={() =>
        call(isNew ? "post" : "put", "/neuron/tags", { body: { node, group, tags: [sent] } })
      }
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={128}
        disabled={!isNew}
        value={held.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <Group grow align="flex-start">
        <Select
          label={t("field.type")}
          required
          allowDeselect={false}
          data={TYPES.map(([number, name]) => ({ value: String(number), label: name }))}
          value={String(held.type)}
          onChange={(type) => change({ type: Number(type) })}
        />
        {isStatic ? (
          <TextInput
            label={t("value")}
            required
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        ) : (
          <TextInput
            label={t("address")}
            required
            maxLength={128}
            value={held.address}
            onChange={(event) => change({ address: event.currentTarget.value })}
          />
        )}
      </Group>
      <Checkbox.Group
        label={t("attribute")}
        value={Object.entries(ATTRIBUTES)
          .filter(([, bit]) => (held.attribute & bit) !== 0)
          .map(([name]) => name)}
        onChange={(names) =>
          change({
            attribute: names.reduce((sum, name) => sum | ATTRIBUTES[name as keyof typeof ATTRIBUTES], 0),
          })
        }
      >
        <Group mt={4}>
          {Object.keys(ATTRIBUTES).map((name) => (
            <Checkbox key={name} value={name} label={t(`attributes.${name}`)} />
          ))}
        </Group>
      </Checkbox.Group>
      <Scale held={held} change={change} />
      <Group grow>
        <TextInput
          label={t("unit")}
          maxLength={32}
          value={held.unit ?? ""}
          onChange={(event) => change({ unit: event.currentTarget.value })}
        />
        <TextInput
          label={t("field.description")}
          maxLength={256}
          value={held.description ?? ""}
          onChange={(event) => change({ description: event.currentTarget.value })}
        />
      </Group>
      {!isStatic && <TryButton node={node} group={group} tag={held} />}
    </FormDialog>
  );
}

interface ScaleProps {
  held: Tag;
  change: (part: Partial<Tag>) => void;
}

/** How the number of the device becomes the one that is shown. */
function Scale({ held, change }: ScaleProps): ReactElement {
  const { t } = useTranslation("tags");
  return (
    <Group grow align="flex-start">
      <NumberInput
        label={t("decimal")}
        value={held.decimal ?? 0}
        onChange={(decimal) => change({ decimal: Number(decimal) })}
      />
      <NumberInput
        label={t("bias")}
        value={held.bias ?? 0}
        onChange={(bias) => change({ bias: Number(bias) })}
      />
      <NumberInput
        label={t("precision")}
        min={0}
        max={17}
        allowDecimal={false}
        value={held.precision ?? 0}
        onChange={(precision) => change({ precision: Number(precision) })}
      />
    </Group>
  );
}

/** Reads the tag once, before it is kept. */
function TryButton({ node, group, tag }: { node: string; group: string; tag: Tag }): ReactElement {
  const { t } = useTranslation("tags");
  const test = useChange(
    () =>
      call<{ value?: unknown; error: number }>("post", "/neuron/read/test", {
        body: {
          driver: node,
          group,
          tag: tag.name || "test",
          address: tag.address,
          attribute: tag.attribute | ATTRIBUTES.read,
          type: tag.type,
          precision: tag.precision ?? 0,
          decimal: tag.decimal ?? 0,
          bias: tag.bias ?? 0,
        },
      }),
    [],
  );
  return (
    <>
      <Group>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate(undefined)}>
          {t("try")}
        </Button>
      </Group>
      {test.data !== undefined && (
        <Alert color={test.data.error === 0 ? "teal" : "orange"} role="status">
          {test.data.error === 0
            ? t("tried", { value: formatAny(test.data.value) })
            : t("triedError", { error: test.data.error })}
        </Alert>
      )}
      <ErrorPanel error={test.error} />
    </>
  );
}
