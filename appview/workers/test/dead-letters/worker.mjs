// Tells of the dead letters that have come.
const letters = [];

export default {
  queue({ messages }) {
    letters.push(...messages.map(({ body }) => body));
  },
  fetch() {
    return Response.json(letters);
  },
};
