export { ChoosePassword } from "./ChoosePassword";
export { LoginPage } from "./LoginPage";
