"""The patients' side: calendar, pyramid, population, requests and what they carry."""
