// SPDX-License-Identifier: Apache-2.0

// A handler for shardgate with nothing but Go's standard library: go run .
// The rules it follows: docs/handlers.md.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var secret, signingKey = os.Getenv("HANDLER_SECRET"), os.Getenv("SIGNING_KEY")

type event struct {
	Name string          `json:"t"`
	Seq  *uint64         `json:"s"`
	D    json.RawMessage `json:"d"`
}

// The newest keys, and whether the work on them is done.
type seenKeys struct {
	mutex sync.Mutex
	done  map[string]bool // false: being worked on
	order []string
	size  int
}

func (s *seenKeys) begin(key string) (known, done bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if done, known := s.done[key]; known {
		return true, done
	}
	s.done[key] = false
	s.order = append(s.order, key)
	if len(s.order) > s.size {
		delete(s.done, s.order[0])
		s.order = s.order[1:]
	}
	return false, false
}

func (s *seenKeys) finish(key string) { s.mutex.Lock(); s.done[key] = true; s.mutex.Unlock() }
func (s *seenKeys) forget(key string) { s.mutex.Lock(); delete(s.done, key); s.mutex.Unlock() }

var seen = &seenKeys{done: map[string]bool{}, size: 100_000}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func genuine(h http.Header, body []byte) bool {
	if secret != "" && !same(h.Get("Authorization"), secret) {
		return false
	}
	if signingKey == "" {
		return true
	}
	stamp := h.Get("X-Shardgate-Timestamp")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if age := time.Since(time.Unix(at, 0)); err != nil || age > 5*time.Minute || age < -5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(signingKey))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	wanted := "v1=" + hex.EncodeToString(mac.Sum(nil))
	for _, one := range strings.Split(h.Get("X-Shardgate-Signature"), ",") {
		if same(strings.TrimSpace(one), wanted) {
			return true
		}
	}
	return false
}

// Your bot. An error means: not now, send it again.
func handle(e event, interaction string) error {
	fmt.Println(e.Name, interaction)
	return nil
}

func status(r *http.Request) int {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 64<<20))
	if err != nil {
		return http.StatusServiceUnavailable
	}
	if !genuine(r.Header, body) {
		return http.StatusUnauthorized
	}
	key := r.Header.Get("Idempotency-Key")
	if known, done := seen.begin(key); known && done {
		return http.StatusNoContent
	} else if known {
		return http.StatusServiceUnavailable // the first copy is still being worked on
	}
	var message struct {
		ShardID uint32 `json:"shardId"`
		Data    event  `json:"data"`
	}
	if err = json.Unmarshal(body, &message); err == nil {
		err = handle(message.Data, r.Header.Get("X-Shardgate-Interaction"))
	}
	if err != nil {
		log.Println("failed:", key, err)
		seen.forget(key) // it comes again
		return http.StatusInternalServerError
	}
	seen.finish(key)
	return http.StatusNoContent
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status(r)) })
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
