import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { FormDialog } from "@/components/FormDialog";
import { Loading } from "@/components/Loading";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import type { PlaceRow, Tag } from "@edge/api/shapes";

import { ATTRIBUTES } from "./kinds";

interface BrowseDialogProps {
  node: string;
  group: string;
  onClose: () => void;
}

/** Looks through the device's own tree and makes tags of what is chosen. */
export function BrowseDialog({ node, group, onClose }: BrowseDialogProps): ReactElement {
  const { t } = useTranslation("tags");
  const [chosen, setChosen] = useState<ReadonlyMap<string, Tag>>(new Map());
  const toggle = (place: PlaceRow) => {
    const next = new Map(chosen);
    if (!next.delete(place.id)) next.set(place.id, tagOf(place));
    setChosen(next);
  };
  return (
    <FormDialog
      title={t("browse")}
      submit={t("addChosen", { number: chosen.size })}
      done={t("saved")}
      size="lg"
      refresh={["/neuron/"]}
      onSubmit={() =>
        call("post", "/neuron/tags", { body: { node, group, tags: [...chosen.values()] } })
      }
      onClose={onClose}
    >
      <Text size="sm">{t("browseHelp")}</Text>
      <Places node={node} parent="" chosen={chosen} onToggle={toggle} />
    </FormDialog>
  );
}

function tagOf(place: PlaceRow): Tag {
  const attribute = ATTRIBUTES.read | (place.is_writable ? ATTRIBUTES.write : 0);
  return { name: place.name, address: place.id, type: place.type ?? 10, attribute };
}

interface PlacesProps {
  node: string;
  parent: string;
  chosen: ReadonlyMap<string, Tag>;
  onToggle: (place: PlaceRow) => void;
}

function Places({ node, parent, chosen, onToggle }: PlacesProps): ReactElement {
  const { t } = useTranslation("tags");
  const answer = useGet("/neuron/browse", { query: { node, parent } });
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  if (answer.error !== null) return <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <Loading />;
  const flip = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
    <ul className="browse-places">
      {answer.data.places.map((place) => (
        <li key={place.id}>
          <Stack gap={2}>
            <Group gap="xs">
              {place.has_children && (
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-expanded={open.has(place.id)}
                  onClick={() => flip(place.id)}
                >
                  {place.name}
                </Button>
              )}
              {typeof place.type === "number" && (
                <Checkbox
                  label={`${place.name} (${place.id})`}
                  checked={chosen.has(place.id)}
                  onChange={() => onToggle(place)}
                />
              )}
              {!place.has_children && typeof place.type !== "number" && (
                <Text size="sm">{t("noValue", { name: place.name })}</Text>
              )}
            </Group>
            {open.has(place.id) && (
              <Places node={node} parent={place.id} chosen={chosen} onToggle={onToggle} />
            )}
          </Stack>
        </li>
      ))}
    </ul>
  );
}
