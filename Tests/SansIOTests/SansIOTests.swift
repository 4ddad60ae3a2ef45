// SansIO
