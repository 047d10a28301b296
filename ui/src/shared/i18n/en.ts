import { gathered } from "./gathered";

export default gathered(import.meta.glob<object>(["./en.json", "../../features/*/en.json"], { eager: true, import: "default" }));
