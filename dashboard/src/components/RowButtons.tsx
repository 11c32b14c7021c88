/** The buttons of a row: a short word for the eye, and with the row's name for who hears them. */
import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "./icons";

interface RowButtonProps {
  /** What is seen. */
  text: string;
  /** What is heard: the same with the name of the row. */
  label: string;
  /** It takes something away. */
  isDanger?: boolean;
  disabled?: boolean;
  onClick: () => void;
}

export function RowButton(props: RowButtonProps): ReactElement {
  return (
    <Button
      size="xs"
      {...(props.isDanger ? { variant: "light", color: "red" } : { variant: "default" })}
      aria-label={props.label}
      disabled={props.disabled ?? false}
      onClick={props.onClick}
    >
      {props.text}
    </Button>
  );
}

interface EditDeleteProps {
  name: string;
  onEdit: () => void;
  onDelete: () => void;
  /** False where the node would refuse. */
  canDelete?: boolean;
}

export function EditDelete({ name, onEdit, onDelete, canDelete = true }: EditDeleteProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <RowButton text={t("edit")} label={t("editOne", { name })} onClick={onEdit} />
      <RowButton
        text={t("delete")}
        label={t("deleteOne", { name })}
        isDanger
        disabled={!canDelete}
        onClick={onDelete}
      />
    </>
  );
}

interface MoveButtonsProps {
  name: string;
  /** Its place, and how many there are. */
  index: number;
  count: number;
  onMove: (to: number) => void;
}

/** Up and down, in a list whose order means something. */
export function MoveButtons({ name, index, count, onMove }: MoveButtonsProps): ReactElement {
  const { t } = useTranslation();
  const arrow = (direction: "up" | "down", to: number) => (
    <Button
      size="xs"
      variant="subtle"
      px={6}
      aria-label={t(direction === "up" ? "moveUp" : "moveDown", { name })}
      disabled={to < 0 || to >= count}
      onClick={() => onMove(to)}
    >
      <Icon name={direction} size={16} />
    </Button>
  );
  return (
    <>
      {arrow("up", index - 1)}
      {arrow("down", index + 1)}
    </>
  );
}
