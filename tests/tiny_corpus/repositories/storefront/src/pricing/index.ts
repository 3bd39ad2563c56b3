export * from "./money";
export { bulkDiscount } from "./discount";
