// Runs before the first paint, so that a chosen theme does not flash. A file, not inline: the content security policy allows no inline script.
try {
  const theme = localStorage.getItem('boathouse.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {}
