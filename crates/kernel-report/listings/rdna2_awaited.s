BB0:
	s_load_dwordx4 s[8:11], s[2:3], null                        ; f4080201 fa000000
	v_mov_b32_e32 v1, 0                                         ; 7e020280
BB1:
	s_cbranch_scc1 BB6                                          ; bf8500c9
BB2:
	buffer_load_dwordx4 v[16:19], v14, s[8:11], 0 offen         ; e0381000 80051410
	buffer_load_dwordx4 v[20:23], v15, s[8:11], 0 offen         ; e0381000 80051514
	s_waitcnt vmcnt(1)                                          ; bf8c3f71
	v_cndmask_b32_e32 v16, 0, v16, vcc                          ; 02202080
	s_waitcnt vmcnt(0)                                          ; bf8c3f70
	v_cndmask_b32_e32 v20, 0, v20, vcc                          ; 02282880
BB3:
	s_cmp_ge_u32 s4, s5                                         ; bf090504
	s_cbranch_scc1 BB5                                          ; bf850057
BB4:
	v_lshlrev_b32_e32 v6, 4, v5                                 ; 340c0a84
	v_add_nc_u32_e32 v7, v6, v8                                 ; 4a0e1106
	ds_read_b128 v[24:27], v6                                   ; dbfc0000 18000006
	ds_read_b128 v[28:31], v7                                   ; dbfc0000 1c000007
	s_waitcnt lgkmcnt(1)                                        ; bf8cc17f
	v_fmac_f32_e32 v1, v24, v28                                 ; 56023918
	s_waitcnt lgkmcnt(0)                                        ; bf8cc07f
	v_fmac_f32_e32 v2, v25, v29                                 ; 56043b19
	v_fmac_f32_e32 v3, v26, v30                                 ; 56063d1a
	v_fmac_f32_e32 v4, v27, v31                                 ; 56083f1b
	s_add_u32 s4, s4, 1                                         ; 80048104
	s_branch BB3                                                ; bf82ffa7
BB5:
	s_barrier                                                   ; bf8a0000
	ds_write_b128 v9, v[16:19]                                  ; db7c0000 00001009
	ds_write_b128 v10, v[20:23]                                 ; db7c0000 0000140a
	s_branch BB1                                                ; bf82ff35
BB6:
	s_endpgm                                                    ; bf810000
