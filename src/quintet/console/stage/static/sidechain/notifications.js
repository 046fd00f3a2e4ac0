// Stands in until the bell is here.
export function mountNotifications() {
  return () => {};
}
